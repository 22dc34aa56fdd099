// SPDX-License-Identifier: Apache-2.0
// What the nouns of a MemoryTransaction share, and those that belong to people: their keys,
// sessions, roles, providers and settings. Private to the module.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <ranges>
#include <string_view>
#include <vector>

#include "store/memory_tables.h"

namespace claviger {

inline std::unexpected<Error> conflict() {
    return fail(ErrorCode::conflict, "Such an object already exists");
}

/// The tables, the rows put so far, and how to take them back.
struct MemoryContext {
    MemoryTables& tables;
    std::vector<Row> rows{};
    std::vector<std::function<void()>> steps_back{};

    template <class Key, class Noun>
    Result<void> put(std::map<Key, Noun>& table, const Key& key, const Noun& noun) {
        set(table, key, noun);
        ++tables.change_number;
        steps_back.emplace_back([this] { --tables.change_number; });
        rows.push_back(noun);
        return {};
    }

    template <class Key, class Value>
    void set(std::map<Key, Value>& table, const Key& key, const Value& value) {
        const auto at = table.find(key);
        if (at == table.end()) {
            table.emplace(key, value);
            steps_back.emplace_back([&table, key] { table.erase(key); });
        } else {
            steps_back.emplace_back([&old = at->second, before = at->second] { old = before; });
            at->second = value;
        }
    }

    Result<void> check_tenant(TenantId tenant) const {
        return tables.tenants.contains(tenant)
                   ? Result<void>{}
                   : fail(ErrorCode::internal, "a row of an unknown tenant was to be stored");
    }
};

/// The live rows for which `matches` holds, in the order of their keys.
template <class Table, class Matches>
auto live(const Table& table, Matches matches) {
    std::vector<typename Table::mapped_type> found;
    for (const auto& noun : std::views::values(table)) {
        if (!noun.deleted_at && matches(noun)) {
            found.push_back(noun);
        }
    }
    return found;
}

template <class Table, class Matches>
auto first_live(const Table& table, Matches matches) {
    std::optional<typename Table::mapped_type> found;
    for (const auto& noun : std::views::values(table)) {
        if (!noun.deleted_at && matches(noun)) {
            found = noun;
            break;
        }
    }
    return found;
}

template <class Table>
auto find_live(const Table& table, const typename Table::key_type& key) {
    const auto at = table.find(key);
    const bool found = at != table.end() && !at->second.deleted_at;
    return found ? std::optional(at->second) : std::nullopt;
}

class MemoryAccessKeyRows final : public AccessKeyRows {
public:
    explicit MemoryAccessKeyRows(MemoryContext& context) : context_(context) {}
    Result<std::optional<AccessKey>> find(AccessKeyId id) override;
    Result<std::optional<AccessKey>> find_by_name(UserId owner, std::string_view name) override;
    Result<std::vector<AccessKey>> of_user(UserId owner) override;
    Result<void> put(const AccessKey& key) override;

private:
    MemoryContext& context_;
};

class MemorySessionRows final : public SessionRows {
public:
    explicit MemorySessionRows(MemoryContext& context) : context_(context) {}
    Result<std::optional<Session>> find(SessionId id) override;
    Result<std::vector<Session>> of_user(UserId user) override;
    Result<void> put(const Session& session) override;

private:
    MemoryContext& context_;
};

class MemoryRoleRows final : public RoleRows {
public:
    explicit MemoryRoleRows(MemoryContext& context) : context_(context) {}
    Result<std::optional<Role>> find(RoleId id) override;
    Result<std::optional<Role>> find_by_name(TenantId tenant, std::string_view name) override;
    Result<std::vector<Role>> all(TenantId tenant) override;
    Result<void> put(const Role& role) override;

private:
    MemoryContext& context_;
};

class MemoryIdentityProviderRows final : public IdentityProviderRows {
public:
    explicit MemoryIdentityProviderRows(MemoryContext& context) : context_(context) {}
    Result<std::optional<IdentityProvider>> find(TenantId tenant, std::string_view alias) override;
    Result<std::vector<IdentityProvider>> all(TenantId tenant) override;
    Result<void> put(const IdentityProvider& provider) override;

private:
    MemoryContext& context_;
};

class MemoryRevocationRows final : public RevocationRows {
public:
    explicit MemoryRevocationRows(MemoryContext& context) : context_(context) {}
    Result<std::uint64_t> last_number(TenantId tenant) override;
    Result<void> append(const Revocation& revocation) override;
    Result<std::vector<Revocation>> expired(Timestamp now, std::size_t most) override;
    Result<void> remove(const Revocation& revocation) override;

private:
    Result<void> put(const Revocation& revocation);
    MemoryContext& context_;
};

class MemoryTenantSettingsRows final : public TenantSettingsRows {
public:
    explicit MemoryTenantSettingsRows(MemoryContext& context) : context_(context) {}
    Result<std::optional<TenantSettings>> find(TenantId tenant) override;
    Result<void> put(const TenantSettings& settings) override;

private:
    MemoryContext& context_;
};

} // namespace claviger
