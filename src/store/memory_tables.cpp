// SPDX-License-Identifier: Apache-2.0
#include "store/memory_tables.h"

#include <algorithm>
#include <ranges>

#include "store/memory_nouns.h"
#include "store/row_facts.h"

namespace claviger {

namespace {

class MemoryTenantRows final : public TenantRows {
public:
    explicit MemoryTenantRows(MemoryContext& context) : context_(context) {}

    Result<std::optional<Tenant>> find(TenantId id) override {
        const auto at = context_.tables.tenants.find(id);
        return at == context_.tables.tenants.end() ? std::nullopt : std::optional(at->second);
    }

    Result<std::vector<Tenant>> all() override {
        const auto tenants = std::views::values(context_.tables.tenants);
        return std::vector<Tenant>(tenants.begin(), tenants.end());
    }

    Result<void> put(const Tenant& tenant) override {
        for (const Tenant& other : std::views::values(context_.tables.tenants)) {
            const bool same_host = !tenant.host.empty() && other.host == tenant.host;
            if (other.id != tenant.id && (other.realm == tenant.realm || same_host)) {
                return conflict();
            }
        }
        return context_.put(context_.tables.tenants, tenant.id, tenant);
    }

private:
    MemoryContext& context_;
};

class MemoryServiceAccountRows final : public ServiceAccountRows {
public:
    explicit MemoryServiceAccountRows(MemoryContext& context) : context_(context) {}

    Result<std::optional<ServiceAccount>> find(ServiceAccountId id) override {
        return find_live(context_.tables.service_accounts, id);
    }

    Result<std::optional<ServiceAccount>> find_by_name(TenantId tenant,
                                                       std::string_view name) override {
        return first_live(context_.tables.service_accounts, [&](const ServiceAccount& account) {
            return account.id.tenant == tenant && account.name == name;
        });
    }

    Result<void> put(const ServiceAccount& account) override {
        TRY(context_.check_tenant(account.id.tenant));
        const auto same = TRY(find_by_name(account.id.tenant, account.name));
        if (same && same->id != account.id && !account.deleted_at) {
            return conflict();
        }
        return context_.put(context_.tables.service_accounts, account.id, account);
    }

private:
    MemoryContext& context_;
};

class MemoryUserRows final : public UserRows {
public:
    explicit MemoryUserRows(MemoryContext& context) : context_(context) {}

    Result<std::optional<User>> find(UserId id) override {
        return find_live(context_.tables.users, id);
    }

    Result<std::optional<User>> find_by_email(TenantId tenant, std::string_view email) override {
        return first_live(context_.tables.users, [&](const User& user) {
            return user.id.tenant == tenant && user.email == email;
        });
    }

    Result<void> put(const User& user) override {
        TRY(context_.check_tenant(user.id.tenant));
        const auto same = TRY(find_by_email(user.id.tenant, user.email));
        if (same && same->id != user.id && !user.deleted_at) {
            return conflict();
        }
        return context_.put(context_.tables.users, user.id, user);
    }

private:
    MemoryContext& context_;
};

class MemoryOrgUnitRows final : public OrgUnitRows {
public:
    explicit MemoryOrgUnitRows(MemoryContext& context) : context_(context) {}

    Result<std::optional<OrgUnit>> find(const ScopeId& id) override {
        return find_live(context_.tables.org_units, id);
    }

    Result<std::optional<OrgUnit>> find_by_name(const ScopeId& parent, ScopeType type,
                                                std::string_view name) override {
        return first_live(context_.tables.org_units, [&](const OrgUnit& unit) {
            return unit.parent == parent && unit.id.type == type && unit.name == name;
        });
    }

    Result<std::vector<OrgUnit>> children(const ScopeId& parent) override {
        auto found = live(context_.tables.org_units,
                          [&](const OrgUnit& unit) { return unit.parent == parent; });
        std::ranges::sort(found, {}, [](const OrgUnit& unit) {
            return std::pair(unit.id.type, std::string_view(unit.name));
        });
        return found;
    }

    Result<void> put(const OrgUnit& unit) override {
        TRY(check_one_tenant(unit));
        TRY(context_.check_tenant(unit.id.tenant));
        const auto same = TRY(find_by_name(unit.parent, unit.id.type, unit.name));
        if (same && same->id != unit.id && !unit.deleted_at) {
            return conflict();
        }
        return context_.put(context_.tables.org_units, unit.id, unit);
    }

private:
    MemoryContext& context_;
};

class MemoryAccessRuleRows final : public AccessRuleRows {
public:
    explicit MemoryAccessRuleRows(MemoryContext& context) : context_(context) {}

    Result<std::optional<AccessRule>> find(AccessRuleId id) override {
        return find_live(context_.tables.access_rules, id);
    }

    Result<std::optional<AccessRule>> find_same(const AccessRule& rule) override {
        return first_live(context_.tables.access_rules, [&](const AccessRule& other) {
            return other.id.tenant == rule.id.tenant && other.subject == rule.subject &&
                   other.role == rule.role && other.scope == rule.scope;
        });
    }

    Result<std::vector<AccessRule>> of_subject(TenantId tenant, const Subject& subject) override {
        return live(context_.tables.access_rules, [&](const AccessRule& rule) {
            return rule.id.tenant == tenant && rule.subject == subject;
        });
    }

    Result<std::vector<AccessRule>> at_scope(const ScopeId& scope) override {
        return live(context_.tables.access_rules,
                    [&](const AccessRule& rule) { return rule.scope == scope; });
    }

    Result<std::vector<AccessRule>> of_role(RoleId role) override {
        return live(context_.tables.access_rules,
                    [&](const AccessRule& rule) { return rule.role == role; });
    }

    Result<void> put(const AccessRule& rule) override {
        TRY(check_one_tenant(rule));
        TRY(context_.check_tenant(rule.id.tenant));
        const auto same = TRY(find_same(rule));
        if (same && same->id != rule.id && !rule.deleted_at) {
            return conflict();
        }
        return context_.put(context_.tables.access_rules, rule.id, rule);
    }

private:
    MemoryContext& context_;
};

class MemorySigningKeyRows final : public SigningKeyRows {
public:
    explicit MemorySigningKeyRows(MemoryContext& context) : context_(context) {}

    Result<std::vector<SigningKey>> all(TenantId tenant) override {
        std::vector<SigningKey> found;
        for (const SigningKey& key : std::views::values(context_.tables.signing_keys)) {
            if (key.tenant == tenant) {
                found.push_back(key);
            }
        }
        std::ranges::stable_sort(found, {}, &SigningKey::created_at);
        return found;
    }

    Result<void> put(const SigningKey& key) override {
        TRY(context_.check_tenant(key.tenant));
        return context_.put(context_.tables.signing_keys, std::pair(key.tenant, key.kid), key);
    }

private:
    MemoryContext& context_;
};

class MemoryRootKeyRows final : public RootKeyRows {
public:
    explicit MemoryRootKeyRows(MemoryContext& context) : context_(context) {}

    Result<std::vector<SealedRootKey>> all() override {
        std::vector<SealedRootKey> found;
        std::ranges::copy(std::views::values(context_.tables.root_keys), std::back_inserter(found));
        std::ranges::stable_sort(found, {}, &SealedRootKey::created_at);
        return found;
    }

    Result<void> put(const SealedRootKey& key) override {
        remember();
        context_.tables.root_keys.insert_or_assign(key.master_key_id, key);
        return {};
    }

    Result<void> remove(std::string_view master_key_id) override {
        remember();
        context_.tables.root_keys.erase(std::string(master_key_id));
        return {};
    }

private:
    void remember() {
        auto& keys = context_.tables.root_keys;
        context_.steps_back.emplace_back([&keys, before = keys] { keys = before; });
    }
    MemoryContext& context_;
};

class MemoryChangeEventRows final : public ChangeEventRows {
public:
    explicit MemoryChangeEventRows(MemoryContext& context) : context_(context) {}

    Result<AuditHead> head(TenantId tenant) override {
        return context_.tables.change_events[tenant].head();
    }

    Result<void> append(const AuditEntry& entry) override {
        TRY(context_.check_tenant(entry.tenant));
        MemoryChain& chain = context_.tables.change_events[entry.tenant];
        if (entry.number != chain.head().number + 1) {
            return fail(ErrorCode::internal, "a change event is out of its chain's order");
        }
        chain.entries.push_back(entry);
        context_.steps_back.emplace_back([&chain] { chain.entries.pop_back(); });
        return {};
    }

private:
    MemoryContext& context_;
};

} // namespace

struct MemoryTransaction::Rows {
    explicit Rows(MemoryTables& tables) : context{tables} {}

    MemoryContext context;
    MemoryTenantRows tenants{context};
    MemoryServiceAccountRows service_accounts{context};
    MemoryUserRows users{context};
    MemoryAccessKeyRows access_keys{context};
    MemorySessionRows sessions{context};
    MemoryRoleRows roles{context};
    MemoryIdentityProviderRows identity_providers{context};
    MemoryTenantSettingsRows tenant_settings{context};
    MemoryOrgUnitRows org_units{context};
    MemoryAccessRuleRows access_rules{context};
    MemorySigningKeyRows signing_keys{context};
    MemoryRevocationRows revocations{context};
    MemoryRootKeyRows root_keys{context};
    MemoryChangeEventRows change_events{context};
};

MemoryTransaction::MemoryTransaction(MemoryTables& tables)
    : rows_(std::make_unique<Rows>(tables)) {}

MemoryTransaction::~MemoryTransaction() = default;

TenantRows& MemoryTransaction::tenants() {
    return rows_->tenants;
}
ServiceAccountRows& MemoryTransaction::service_accounts() {
    return rows_->service_accounts;
}
UserRows& MemoryTransaction::users() {
    return rows_->users;
}
AccessKeyRows& MemoryTransaction::access_keys() {
    return rows_->access_keys;
}
SessionRows& MemoryTransaction::sessions() {
    return rows_->sessions;
}
RoleRows& MemoryTransaction::roles() {
    return rows_->roles;
}
IdentityProviderRows& MemoryTransaction::identity_providers() {
    return rows_->identity_providers;
}
TenantSettingsRows& MemoryTransaction::tenant_settings() {
    return rows_->tenant_settings;
}
OrgUnitRows& MemoryTransaction::org_units() {
    return rows_->org_units;
}
AccessRuleRows& MemoryTransaction::access_rules() {
    return rows_->access_rules;
}
SigningKeyRows& MemoryTransaction::signing_keys() {
    return rows_->signing_keys;
}
RevocationRows& MemoryTransaction::revocations() {
    return rows_->revocations;
}
RootKeyRows& MemoryTransaction::root_keys() {
    return rows_->root_keys;
}
ChangeEventRows& MemoryTransaction::change_events() {
    return rows_->change_events;
}

Result<std::int32_t> MemoryTransaction::next(Sequence sequence) {
    auto& sequences = rows_->context.tables.sequences;
    rows_->context.set(sequences, sequence, sequences[sequence] + 1);
    return sequences[sequence];
}

void MemoryTransaction::undo() {
    for (const auto& step_back : std::views::reverse(rows_->context.steps_back)) {
        step_back();
    }
}

std::span<const Row> MemoryTransaction::rows() const {
    return rows_->context.rows;
}

} // namespace claviger
