// SPDX-License-Identifier: Apache-2.0
// What the nouns of a SqliteTransaction share, and those that belong to people: their keys,
// sessions, roles, providers and settings. Private to the module.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "store/change_log.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_rows.h"
#include "store/store.h"

namespace claviger {

template <class Noun, class... Values>
Result<std::optional<Noun>> find_one(Connection& connection, std::string_view sql,
                                     const Values&... values) {
    Statement found = TRY(connection.query(sql, values...));
    const bool any = TRY(found.step());
    if (!any) {
        return std::optional<Noun>();
    }
    std::optional<Noun> noun(std::in_place);
    read_row(found, *noun);
    return noun;
}

template <class Noun, class... Values>
Result<std::vector<Noun>> find_all(Connection& connection, std::string_view sql,
                                   const Values&... values) {
    Statement found = TRY(connection.query(sql, values...));
    std::vector<Noun> nouns;
    for (bool more = TRY(found.step()); more;) {
        read_row(found, nouns.emplace_back());
        more = TRY(found.step());
    }
    return nouns;
}

/// What the rows of every noun need.
struct SqliteContext {
    Connection& connection;
    ChangeLog& changes;
};

/// The secrets of the key, in their order.
Result<void> read_secrets(Connection& connection, AccessKey& key);

class SqliteAccessKeyRows final : public AccessKeyRows {
public:
    explicit SqliteAccessKeyRows(SqliteContext context) : context_(context) {}
    Result<std::optional<AccessKey>> find(AccessKeyId id) override;
    Result<std::optional<AccessKey>> find_by_name(UserId owner, std::string_view name) override;
    Result<std::vector<AccessKey>> of_user(UserId owner) override;
    Result<void> put(const AccessKey& key) override;

private:
    Result<std::optional<AccessKey>> with_secrets(Result<std::optional<AccessKey>> key);
    Result<void> put_secrets(const AccessKey& key);
    SqliteContext context_;
};

class SqliteSessionRows final : public SessionRows {
public:
    explicit SqliteSessionRows(SqliteContext context) : context_(context) {}
    Result<std::optional<Session>> find(SessionId id) override;
    Result<std::vector<Session>> of_user(UserId user) override;
    Result<void> put(const Session& session) override;

private:
    SqliteContext context_;
};

class SqliteRoleRows final : public RoleRows {
public:
    explicit SqliteRoleRows(SqliteContext context) : context_(context) {}
    Result<std::optional<Role>> find(RoleId id) override;
    Result<std::optional<Role>> find_by_name(TenantId tenant, std::string_view name) override;
    Result<std::vector<Role>> all(TenantId tenant) override;
    Result<void> put(const Role& role) override;

private:
    SqliteContext context_;
};

class SqliteIdentityProviderRows final : public IdentityProviderRows {
public:
    explicit SqliteIdentityProviderRows(SqliteContext context) : context_(context) {}
    Result<std::optional<IdentityProvider>> find(TenantId tenant, std::string_view alias) override;
    Result<std::vector<IdentityProvider>> all(TenantId tenant) override;
    Result<void> put(const IdentityProvider& provider) override;

private:
    SqliteContext context_;
};

class SqliteTenantSettingsRows final : public TenantSettingsRows {
public:
    explicit SqliteTenantSettingsRows(SqliteContext context) : context_(context) {}
    Result<std::optional<TenantSettings>> find(TenantId tenant) override;
    Result<void> put(const TenantSettings& settings) override;

private:
    SqliteContext context_;
};

class SqliteRevocationRows final : public RevocationRows {
public:
    explicit SqliteRevocationRows(SqliteContext context) : context_(context) {}
    Result<std::uint64_t> last_number(TenantId tenant) override;
    Result<void> append(const Revocation& revocation) override;
    Result<std::vector<Revocation>> expired(Timestamp now, std::size_t most) override;
    Result<void> remove(const Revocation& revocation) override;

private:
    SqliteContext context_;
};

} // namespace claviger
