// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_nouns.h"

#include "store/sqlite_secrets.h"

namespace claviger {

namespace {

std::string permission_sets_text(const Role& role) {
    std::vector<std::string> ids;
    ids.reserve(role.permission_sets.size());
    for (const Uuid& id : role.permission_sets) {
        ids.push_back(id.text());
    }
    return join_lines(ids);
}

} // namespace

// --- access keys --------------------------------------------------------------------------------

Result<std::optional<AccessKey>> SqliteAccessKeyRows::find(AccessKeyId id) {
    static const std::string sql =
        select(access_key_columns, "access_key WHERE tenant = ? AND id = ? AND deleted_at IS NULL");
    return with_secrets(find_one<AccessKey>(context_.connection, sql, id.tenant, id.value));
}

Result<std::optional<AccessKey>> SqliteAccessKeyRows::find_by_name(UserId owner,
                                                                   std::string_view name) {
    static const std::string sql =
        select(access_key_columns,
               "access_key WHERE tenant = ? AND user = ? AND name = ? AND deleted_at IS NULL");
    return with_secrets(
        find_one<AccessKey>(context_.connection, sql, owner.tenant, owner.value, name));
}

Result<std::vector<AccessKey>> SqliteAccessKeyRows::of_user(UserId owner) {
    static const std::string sql =
        select(access_key_columns, "access_key WHERE tenant = ? AND user = ? "
                                   "AND deleted_at IS NULL ORDER BY created_at, id");
    auto keys = TRY(find_all<AccessKey>(context_.connection, sql, owner.tenant, owner.value));
    for (AccessKey& key : keys) {
        TRY(read_secrets(context_.connection, key));
    }
    return keys;
}

Result<std::optional<AccessKey>>
SqliteAccessKeyRows::with_secrets(Result<std::optional<AccessKey>> key) {
    if (key && *key) {
        TRY(read_secrets(context_.connection, **key));
    }
    return key;
}

Result<void> SqliteAccessKeyRows::put(const AccessKey& key) {
    TRY(context_.connection.run(
        "INSERT INTO access_key (tenant, id, user, client_id, name, epoch, created_at, "
        "updated_at, deleted_at, last_login, limits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, epoch = excluded.epoch, "
        "updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, "
        "last_login = excluded.last_login, limits = excluded.limits",
        key.id.tenant, key.id.value, key.user, key.client_id, key.name, key.epoch, key.created_at,
        key.updated_at, key.deleted_at, key.last_login, key.limits));
    TRY(put_secrets(key));
    return context_.changes.record(key);
}

Result<void> SqliteAccessKeyRows::put_secrets(const AccessKey& key) {
    static const SecretStatements statements("access_key_secret", "access_key");
    return replace_secrets(context_.connection, statements, key.id.tenant, key.id.value,
                           key.secrets);
}

Result<void> read_secrets(Connection& connection, AccessKey& key) {
    static const std::string sql =
        select(access_key_secret_columns,
               "access_key_secret WHERE tenant = ? AND access_key = ? ORDER BY position");
    key.secrets = TRY(find_all<ClientSecret>(connection, sql, key.id.tenant, key.id.value));
    return {};
}

// --- sessions -----------------------------------------------------------------------------------

Result<std::optional<Session>> SqliteSessionRows::find(SessionId id) {
    static const std::string sql = select(session_columns, "session WHERE tenant = ? AND id = ?");
    return find_one<Session>(context_.connection, sql, id.tenant, id.value);
}

Result<std::vector<Session>> SqliteSessionRows::of_user(UserId user) {
    static const std::string sql =
        select(session_columns, "session WHERE tenant = ? AND user = ? ORDER BY created_at, id");
    return find_all<Session>(context_.connection, sql, user.tenant, user.value);
}

Result<void> SqliteSessionRows::put(const Session& session) {
    if (session.deleted_at) {
        TRY(context_.connection.run("DELETE FROM session WHERE tenant = ? AND id = ?",
                                    session.id.tenant, session.id.value));
        return context_.changes.record(session);
    }
    TRY(context_.connection.run(
        "INSERT INTO session (tenant, id, user, client_id, generation, created_at, updated_at, "
        "expires_at, narrowing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, id) DO UPDATE SET "
        "generation = excluded.generation, updated_at = excluded.updated_at, "
        "expires_at = excluded.expires_at, narrowing = excluded.narrowing",
        session.id.tenant, session.id.value, session.user, session.client_id, session.generation,
        session.created_at, session.updated_at, session.expires_at, session.narrowing));
    return context_.changes.record(session);
}

// --- roles --------------------------------------------------------------------------------------

Result<std::optional<Role>> SqliteRoleRows::find(RoleId id) {
    static const std::string sql =
        select(role_columns, "role WHERE tenant = ? AND id = ? AND deleted_at IS NULL");
    return find_one<Role>(context_.connection, sql, id.tenant, id.value);
}

Result<std::optional<Role>> SqliteRoleRows::find_by_name(TenantId tenant, std::string_view name) {
    static const std::string sql =
        select(role_columns, "role WHERE tenant = ? AND name = ? AND deleted_at IS NULL");
    return find_one<Role>(context_.connection, sql, tenant, name);
}

Result<std::vector<Role>> SqliteRoleRows::all(TenantId tenant) {
    static const std::string sql =
        select(role_columns, "role WHERE tenant = ? AND deleted_at IS NULL ORDER BY id");
    return find_all<Role>(context_.connection, sql, tenant);
}

Result<void> SqliteRoleRows::put(const Role& role) {
    TRY(context_.connection.run(
        "INSERT INTO role (tenant, id, name, description, enabled, permission_sets, "
        "kubernetes_role, created_by, created_at, updated_at, deleted_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE SET "
        "name = excluded.name, description = excluded.description, enabled = excluded.enabled, "
        "permission_sets = excluded.permission_sets, "
        "kubernetes_role = excluded.kubernetes_role, updated_at = excluded.updated_at, "
        "deleted_at = excluded.deleted_at",
        role.id.tenant, role.id.value, role.name, role.description, role.enabled,
        permission_sets_text(role), role.kubernetes_role, role.created_by, role.created_at,
        role.updated_at, role.deleted_at));
    return context_.changes.record(role);
}

// --- identity providers and settings ------------------------------------------------------------

Result<std::optional<IdentityProvider>> SqliteIdentityProviderRows::find(TenantId tenant,
                                                                         std::string_view alias) {
    static const std::string sql =
        select(identity_provider_columns, "identity_provider WHERE tenant = ? AND alias = ?");
    return find_one<IdentityProvider>(context_.connection, sql, tenant, alias);
}

Result<std::vector<IdentityProvider>> SqliteIdentityProviderRows::all(TenantId tenant) {
    static const std::string sql =
        select(identity_provider_columns, "identity_provider WHERE tenant = ? ORDER BY alias");
    return find_all<IdentityProvider>(context_.connection, sql, tenant);
}

Result<void> SqliteIdentityProviderRows::put(const IdentityProvider& provider) {
    if (provider.deleted_at) {
        TRY(context_.connection.run("DELETE FROM identity_provider WHERE tenant = ? AND alias = ?",
                                    provider.tenant, provider.alias));
        return context_.changes.record(provider);
    }
    TRY(context_.connection.run(
        "INSERT INTO identity_provider (tenant, alias, type, name, settings, sealed_secret, "
        "mappers, created_by, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, alias) DO UPDATE SET type = excluded.type, name = excluded.name, "
        "settings = excluded.settings, sealed_secret = excluded.sealed_secret, "
        "mappers = excluded.mappers, updated_at = excluded.updated_at",
        provider.tenant, provider.alias, provider.type, provider.name, provider.settings,
        std::span<const std::uint8_t>(provider.sealed_secret), provider.mappers,
        provider.created_by, provider.created_at, provider.updated_at));
    return context_.changes.record(provider);
}

Result<std::optional<TenantSettings>> SqliteTenantSettingsRows::find(TenantId tenant) {
    static const std::string sql =
        select(tenant_settings_columns, "tenant_settings WHERE tenant = ?");
    return find_one<TenantSettings>(context_.connection, sql, tenant);
}

Result<void> SqliteTenantSettingsRows::put(const TenantSettings& settings) {
    TRY(context_.connection.run(
        "INSERT INTO tenant_settings (tenant, settings, updated_at) VALUES (?, ?, ?) "
        "ON CONFLICT (tenant) DO UPDATE SET settings = excluded.settings, "
        "updated_at = excluded.updated_at",
        settings.tenant, settings.values, settings.updated_at));
    return context_.changes.record(settings);
}

// --- revocations --------------------------------------------------------------------------------

Result<std::uint64_t> SqliteRevocationRows::last_number(TenantId tenant) {
    Statement last = TRY(
        context_.connection.query("SELECT max(number) FROM revocation WHERE tenant = ?", tenant));
    TRY(last.step());
    return last.is_null(0) ? 0 : static_cast<std::uint64_t>(last.integer(0));
}

Result<void> SqliteRevocationRows::append(const Revocation& revocation) {
    const std::uint64_t last = TRY(last_number(revocation.tenant));
    if (revocation.number != last + 1) {
        return fail(ErrorCode::internal, "a revocation is out of its order");
    }
    TRY(context_.connection.run(
        "INSERT INTO revocation (tenant, number, kind, id, name, epoch, active, at, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        revocation.tenant, revocation.number, revocation.kind, revocation.id, revocation.name,
        revocation.epoch, revocation.active, revocation.at, revocation.expires_at));
    context_.changes.announce(revocation);
    return {};
}

Result<std::vector<Revocation>> SqliteRevocationRows::expired(Timestamp now, std::size_t most) {
    static const std::string sql = select(
        revocation_columns, "revocation AS old WHERE expires_at <= ? AND number < (SELECT "
                            "max(number) FROM revocation AS last WHERE last.tenant = old.tenant) "
                            "ORDER BY expires_at, tenant, number LIMIT ?");
    return find_all<Revocation>(context_.connection, sql, now, static_cast<std::int64_t>(most));
}

Result<void> SqliteRevocationRows::remove(const Revocation& revocation) {
    TRY(context_.connection.run("DELETE FROM revocation WHERE tenant = ? AND number = ?",
                                revocation.tenant, revocation.number));
    context_.changes.announce(revocation);
    return {};
}

} // namespace claviger
