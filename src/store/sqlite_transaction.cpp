// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_transaction.h"

#include "store/row_facts.h"
#include "store/sqlite_audit.h"
#include "store/sqlite_keys.h"
#include "store/sqlite_nouns.h"
#include "store/sqlite_rows.h"
#include "store/sqlite_secrets.h"

namespace claviger {

namespace {

class SqliteTenantRows final : public TenantRows {
public:
    explicit SqliteTenantRows(SqliteContext context) : context_(context) {}

    Result<std::optional<Tenant>> find(TenantId id) override {
        static const std::string sql = select(tenant_columns, "tenant WHERE id = ?");
        return find_one<Tenant>(context_.connection, sql, id);
    }

    Result<std::vector<Tenant>> all() override {
        static const std::string sql = select(tenant_columns, "tenant ORDER BY id");
        return find_all<Tenant>(context_.connection, sql);
    }

    Result<void> put(const Tenant& tenant) override {
        TRY(context_.connection.run(
            "INSERT INTO tenant (id, realm, host, name, enabled, created_at, updated_at, "
            "tokens_not_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET realm = excluded.realm, host = excluded.host, "
            "name = excluded.name, enabled = excluded.enabled, created_at = excluded.created_at, "
            "updated_at = excluded.updated_at, tokens_not_before = excluded.tokens_not_before",
            tenant.id, tenant.realm, tenant.host, tenant.name, tenant.enabled, tenant.created_at,
            tenant.updated_at, tenant.tokens_not_before));
        return context_.changes.record(tenant);
    }

private:
    SqliteContext context_;
};

class SqliteServiceAccountRows final : public ServiceAccountRows {
public:
    explicit SqliteServiceAccountRows(SqliteContext context) : context_(context) {}

    Result<std::optional<ServiceAccount>> find(ServiceAccountId id) override {
        static const std::string sql =
            select(service_account_columns,
                   "service_account WHERE tenant = ? AND id = ? AND deleted_at IS NULL");
        return with_secrets(
            find_one<ServiceAccount>(context_.connection, sql, id.tenant, id.value));
    }

    Result<std::optional<ServiceAccount>> find_by_name(TenantId tenant,
                                                       std::string_view name) override {
        static const std::string sql =
            select(service_account_columns,
                   "service_account WHERE tenant = ? AND name = ? AND deleted_at IS NULL");
        return with_secrets(find_one<ServiceAccount>(context_.connection, sql, tenant, name));
    }

    Result<void> put(const ServiceAccount& account) override {
        TRY(context_.connection.run(
            "INSERT INTO service_account (tenant, id, name, enabled, epoch, created_by, "
            "created_at, updated_at, deleted_at, last_login, limits) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, "
            "enabled = excluded.enabled, epoch = excluded.epoch, "
            "created_by = excluded.created_by, created_at = excluded.created_at, "
            "updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, "
            "last_login = excluded.last_login, limits = excluded.limits",
            account.id.tenant, account.id.value, account.name, account.enabled, account.epoch,
            account.created_by, account.created_at, account.updated_at, account.deleted_at,
            account.last_login, account.limits));
        TRY(put_secrets(account));
        return context_.changes.record(account);
    }

private:
    Result<std::optional<ServiceAccount>>
    with_secrets(Result<std::optional<ServiceAccount>> account) {
        if (account && *account) {
            TRY(read_secrets(context_.connection, **account));
        }
        return account;
    }

    Result<void> put_secrets(const ServiceAccount& account) {
        static const SecretStatements statements("client_secret", "service_account");
        return replace_secrets(context_.connection, statements, account.id.tenant, account.id.value,
                               account.secrets);
    }

    SqliteContext context_;
};

class SqliteUserRows final : public UserRows {
public:
    explicit SqliteUserRows(SqliteContext context) : context_(context) {}

    Result<std::optional<User>> find(UserId id) override {
        static const std::string sql =
            select(user_columns, "user WHERE tenant = ? AND id = ? AND deleted_at IS NULL");
        return find_one<User>(context_.connection, sql, id.tenant, id.value);
    }

    Result<std::optional<User>> find_by_email(TenantId tenant, std::string_view email) override {
        static const std::string sql =
            select(user_columns, "user WHERE tenant = ? AND email = ? AND deleted_at IS NULL");
        return find_one<User>(context_.connection, sql, tenant, email);
    }

    Result<void> put(const User& user) override {
        TRY(context_.connection.run(
            "INSERT INTO user (tenant, id, email, password_hash, password_is_temporary, is_local, "
            "group_names, attributes, enabled, epoch, created_by, created_at, updated_at, "
            "deleted_at, "
            "last_login) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, id) DO UPDATE SET email = excluded.email, "
            "password_hash = excluded.password_hash, "
            "password_is_temporary = excluded.password_is_temporary, "
            "is_local = excluded.is_local, group_names = excluded.group_names, "
            "attributes = excluded.attributes, enabled = excluded.enabled, "
            "epoch = excluded.epoch, created_by = excluded.created_by, "
            "created_at = excluded.created_at, updated_at = excluded.updated_at, "
            "deleted_at = excluded.deleted_at, last_login = excluded.last_login",
            user.id.tenant, user.id.value, user.email, user.password_hash,
            user.password_is_temporary, user.is_local, join_lines(user.groups), user.attributes,
            user.enabled, user.epoch, user.created_by, user.created_at, user.updated_at,
            user.deleted_at, user.last_login));
        return context_.changes.record(user);
    }

private:
    SqliteContext context_;
};

class SqliteOrgUnitRows final : public OrgUnitRows {
public:
    explicit SqliteOrgUnitRows(SqliteContext context) : context_(context) {}

    Result<std::optional<OrgUnit>> find(const ScopeId& id) override {
        static const std::string sql =
            select(org_unit_columns,
                   "org_unit WHERE tenant = ? AND type = ? AND id = ? AND deleted_at IS NULL");
        return find_one<OrgUnit>(context_.connection, sql, id.tenant, id.type, id.value);
    }

    Result<std::optional<OrgUnit>> find_by_name(const ScopeId& parent, ScopeType type,
                                                std::string_view name) override {
        static const std::string sql =
            select(org_unit_columns, "org_unit WHERE tenant = ? AND parent_type = ? AND parent = ? "
                                     "AND type = ? AND name = ? AND deleted_at IS NULL");
        return find_one<OrgUnit>(context_.connection, sql, parent.tenant, parent.type, parent.value,
                                 type, name);
    }

    Result<std::vector<OrgUnit>> children(const ScopeId& parent) override {
        static const std::string sql =
            select(org_unit_columns, "org_unit WHERE tenant = ? AND parent_type = ? AND parent = ? "
                                     "AND deleted_at IS NULL ORDER BY type, name");
        return find_all<OrgUnit>(context_.connection, sql, parent.tenant, parent.type,
                                 parent.value);
    }

    Result<void> put(const OrgUnit& unit) override {
        TRY(check_one_tenant(unit));
        TRY(context_.connection.run(
            "INSERT INTO org_unit (tenant, type, id, parent_type, parent, name, description, "
            "attributes, created_by, updated_by, created_at, updated_at, deleted_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, type, id) DO UPDATE SET parent_type = excluded.parent_type, "
            "parent = excluded.parent, name = excluded.name, description = excluded.description, "
            "attributes = excluded.attributes, created_by = excluded.created_by, "
            "updated_by = excluded.updated_by, created_at = excluded.created_at, "
            "updated_at = excluded.updated_at, deleted_at = excluded.deleted_at",
            unit.id.tenant, unit.id.type, unit.id.value, unit.parent.type, unit.parent.value,
            unit.name, unit.description, unit.attributes, unit.created_by, unit.updated_by,
            unit.created_at, unit.updated_at, unit.deleted_at));
        return context_.changes.record(unit);
    }

private:
    SqliteContext context_;
};

class SqliteAccessRuleRows final : public AccessRuleRows {
public:
    explicit SqliteAccessRuleRows(SqliteContext context) : context_(context) {}

    Result<std::optional<AccessRule>> find(AccessRuleId id) override {
        static const std::string sql = select(
            access_rule_columns, "access_rule WHERE tenant = ? AND id = ? AND deleted_at IS NULL");
        return find_one<AccessRule>(context_.connection, sql, id.tenant, id.value);
    }

    Result<std::optional<AccessRule>> find_same(const AccessRule& rule) override {
        static const std::string sql =
            select(access_rule_columns,
                   "access_rule WHERE tenant = ? AND subject_type = ? AND subject = ? "
                   "AND role = ? AND scope_type = ? AND scope = ? AND deleted_at IS NULL");
        return find_one<AccessRule>(context_.connection, sql, rule.id.tenant, rule.subject.type,
                                    rule.subject.value, rule.role.value, rule.scope.type,
                                    rule.scope.value);
    }

    Result<std::vector<AccessRule>> of_subject(TenantId tenant, const Subject& subject) override {
        static const std::string sql =
            select(access_rule_columns, "access_rule WHERE tenant = ? AND subject_type = ? "
                                        "AND subject = ? AND deleted_at IS NULL ORDER BY id");
        return find_all<AccessRule>(context_.connection, sql, tenant, subject.type, subject.value);
    }

    Result<std::vector<AccessRule>> at_scope(const ScopeId& scope) override {
        static const std::string sql =
            select(access_rule_columns, "access_rule WHERE tenant = ? AND scope_type = ? "
                                        "AND scope = ? AND deleted_at IS NULL ORDER BY id");
        return find_all<AccessRule>(context_.connection, sql, scope.tenant, scope.type,
                                    scope.value);
    }

    Result<std::vector<AccessRule>> of_role(RoleId role) override {
        static const std::string sql =
            select(access_rule_columns,
                   "access_rule WHERE tenant = ? AND role = ? AND deleted_at IS NULL ORDER BY id");
        return find_all<AccessRule>(context_.connection, sql, role.tenant, role.value);
    }

    Result<void> put(const AccessRule& rule) override {
        TRY(check_one_tenant(rule));
        TRY(context_.connection.run(
            "INSERT INTO access_rule (tenant, id, subject_type, subject, role, scope_type, scope, "
            "created_by, created_at, updated_at, deleted_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE SET "
            "subject_type = excluded.subject_type, subject = excluded.subject, "
            "role = excluded.role, scope_type = excluded.scope_type, scope = excluded.scope, "
            "created_by = excluded.created_by, created_at = excluded.created_at, "
            "updated_at = excluded.updated_at, deleted_at = excluded.deleted_at",
            rule.id.tenant, rule.id.value, rule.subject.type, rule.subject.value, rule.role.value,
            rule.scope.type, rule.scope.value, rule.created_by, rule.created_at, rule.updated_at,
            rule.deleted_at));
        return context_.changes.record(rule);
    }

private:
    SqliteContext context_;
};

class SqliteChangeEventRows final : public ChangeEventRows {
public:
    explicit SqliteChangeEventRows(SqliteContext context) : context_(context) {}

    Result<AuditHead> head(TenantId tenant) override {
        return find_audit_head(context_.connection, change_event_table(), tenant);
    }

    Result<void> append(const AuditEntry& entry) override {
        const AuditHead before = TRY(head(entry.tenant));
        if (entry.number != before.number + 1) {
            return fail(ErrorCode::internal, "a change event is out of its chain's order");
        }
        TRY(context_.connection.run(
            "INSERT INTO change_event (tenant, number, at, payload, hash) VALUES (?, ?, ?, ?, ?)",
            entry.tenant, entry.number, entry.at, entry.payload, entry.hash));
        return end_block(context_.connection, change_event_table(), entry.tenant, entry.number);
    }

private:
    SqliteContext context_;
};

} // namespace

struct SqliteTransaction::Rows {
    explicit Rows(SqliteContext context)
        : tenants(context), service_accounts(context), users(context), access_keys(context),
          sessions(context), roles(context), identity_providers(context), tenant_settings(context),
          org_units(context), access_rules(context), signing_keys(context), revocations(context),
          root_keys(context), change_events(context) {}

    SqliteTenantRows tenants;
    SqliteServiceAccountRows service_accounts;
    SqliteUserRows users;
    SqliteAccessKeyRows access_keys;
    SqliteSessionRows sessions;
    SqliteRoleRows roles;
    SqliteIdentityProviderRows identity_providers;
    SqliteTenantSettingsRows tenant_settings;
    SqliteOrgUnitRows org_units;
    SqliteAccessRuleRows access_rules;
    SqliteSigningKeyRows signing_keys;
    SqliteRevocationRows revocations;
    SqliteRootKeyRows root_keys;
    SqliteChangeEventRows change_events;
};

SqliteTransaction::SqliteTransaction(Connection& connection, ChangeLog& changes)
    : connection_(connection), rows_(std::make_unique<Rows>(SqliteContext{connection, changes})) {}

SqliteTransaction::~SqliteTransaction() = default;

TenantRows& SqliteTransaction::tenants() {
    return rows_->tenants;
}
ServiceAccountRows& SqliteTransaction::service_accounts() {
    return rows_->service_accounts;
}
UserRows& SqliteTransaction::users() {
    return rows_->users;
}
AccessKeyRows& SqliteTransaction::access_keys() {
    return rows_->access_keys;
}
SessionRows& SqliteTransaction::sessions() {
    return rows_->sessions;
}
RoleRows& SqliteTransaction::roles() {
    return rows_->roles;
}
IdentityProviderRows& SqliteTransaction::identity_providers() {
    return rows_->identity_providers;
}
TenantSettingsRows& SqliteTransaction::tenant_settings() {
    return rows_->tenant_settings;
}
OrgUnitRows& SqliteTransaction::org_units() {
    return rows_->org_units;
}
AccessRuleRows& SqliteTransaction::access_rules() {
    return rows_->access_rules;
}
SigningKeyRows& SqliteTransaction::signing_keys() {
    return rows_->signing_keys;
}
RevocationRows& SqliteTransaction::revocations() {
    return rows_->revocations;
}
RootKeyRows& SqliteTransaction::root_keys() {
    return rows_->root_keys;
}
ChangeEventRows& SqliteTransaction::change_events() {
    return rows_->change_events;
}

Result<std::int32_t> SqliteTransaction::next(Sequence sequence) {
    Statement taken = TRY(connection_.query(
        "INSERT INTO sequence (sequence, number) VALUES (?, 1) "
        "ON CONFLICT (sequence) DO UPDATE SET number = number + 1 RETURNING number",
        sequence));
    TRY(taken.step());
    const auto number = static_cast<std::int32_t>(taken.integer(0));
    TRY(taken.step());
    return number;
}

Result<void> read_secrets(Connection& connection, ServiceAccount& account) {
    static const std::string sql =
        select(client_secret_columns,
               "client_secret WHERE tenant = ? AND service_account = ? ORDER BY position");
    account.secrets =
        TRY(find_all<ClientSecret>(connection, sql, account.id.tenant, account.id.value));
    return {};
}

} // namespace claviger
