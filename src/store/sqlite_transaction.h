// SPDX-License-Identifier: Apache-2.0
// The nouns of an open transaction on the writing connection, and the change log that every put()
// feeds. SqliteStore opens and commits; this only runs statements.
#pragma once

#include <memory>

#include "store/change_log.h"
#include "store/sqlite_connection.h"
#include "store/store.h"

namespace claviger {

class SqliteTransaction final : public Transaction {
public:
    SqliteTransaction(Connection& connection, ChangeLog& changes);
    ~SqliteTransaction() override;

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

private:
    struct Rows;
    Connection& connection_;
    std::unique_ptr<Rows> rows_;
};

/// The secrets of the account, in their order.
Result<void> read_secrets(Connection& connection, ServiceAccount& account);

} // namespace claviger
