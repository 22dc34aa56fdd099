// SPDX-License-Identifier: Apache-2.0
// What a MemoryStore holds, and the transaction over it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "store/memory_audit.h"
#include "store/store.h"

namespace claviger {

struct MemoryTables {
    std::map<TenantId, Tenant> tenants;
    std::map<ServiceAccountId, ServiceAccount> service_accounts;
    std::map<UserId, User> users;
    std::map<AccessKeyId, AccessKey> access_keys;
    std::map<SessionId, Session> sessions;
    std::map<RoleId, Role> roles;
    std::map<std::pair<TenantId, std::string>, IdentityProvider> identity_providers;
    std::map<TenantId, TenantSettings> tenant_settings;
    std::map<ScopeId, OrgUnit> org_units;
    std::map<AccessRuleId, AccessRule> access_rules;
    std::map<std::pair<TenantId, std::string>, SigningKey> signing_keys;
    std::map<std::pair<TenantId, std::uint64_t>, Revocation> revocations;
    std::map<std::string, SealedRootKey> root_keys;
    MemoryChains change_events;
    std::map<Sequence, std::int32_t> sequences;
    std::uint64_t change_number = 0;
};

class MemoryTransaction final : public Transaction {
public:
    explicit MemoryTransaction(MemoryTables& tables);
    ~MemoryTransaction() override;

    TenantRows& tenants() override;
    ServiceAccountRows& service_accounts() override;
    UserRows& users() override;
    AccessKeyRows& access_keys() override;
    SessionRows& sessions() override;
    RoleRows& roles() override;
    IdentityProviderRows& identity_providers() override;
    TenantSettingsRows& tenant_settings() override;
    OrgUnitRows& org_units() override;
    AccessRuleRows& access_rules() override;
    SigningKeyRows& signing_keys() override;
    RevocationRows& revocations() override;
    RootKeyRows& root_keys() override;
    ChangeEventRows& change_events() override;
    Result<std::int32_t> next(Sequence sequence) override;

    /// Takes everything back.
    void undo();
    std::span<const Row> rows() const;

private:
    struct Rows;
    std::unique_ptr<Rows> rows_;
};

} // namespace claviger
