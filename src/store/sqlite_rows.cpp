// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_rows.h"

namespace claviger {

namespace {

TenantId tenant_at(const Statement& row, int column) {
    return TenantId{static_cast<std::int32_t>(row.integer(column))};
}

Uuid uuid_at(const Statement& row, int column) {
    return Uuid{row.bytes<16>(column)};
}

template <class Enum>
Enum enum_at(const Statement& row, int column) {
    return static_cast<Enum>(row.integer(column));
}

} // namespace

void read_row(const Statement& row, Tenant& tenant) {
    tenant.id = tenant_at(row, 0);
    tenant.realm = row.text(1);
    tenant.host = row.text(2);
    tenant.name = row.text(3);
    tenant.enabled = row.flag(4);
    tenant.created_at = row.time(5);
    tenant.updated_at = row.time(6);
    tenant.tokens_not_before = row.optional_time(7);
}

void read_row(const Statement& row, ServiceAccount& account) {
    account.id = {tenant_at(row, 0), uuid_at(row, 1)};
    account.name = row.text(2);
    account.enabled = row.flag(3);
    account.epoch = static_cast<std::uint32_t>(row.integer(4));
    account.created_by = row.text(5);
    account.created_at = row.time(6);
    account.updated_at = row.time(7);
    account.deleted_at = row.optional_time(8);
    account.last_login = row.optional_time(9);
    account.limits = row.text(10);
    account.secrets.clear();
}

std::pair<TenantId, Uuid> owner_of_secret(const Statement& row) {
    return {tenant_at(row, 0), uuid_at(row, 1)};
}

void read_row(const Statement& row, ClientSecret& secret) {
    secret.id = uuid_at(row, 2);
    secret.pepper_version = static_cast<std::uint32_t>(row.integer(3));
    secret.keyed_hash = row.bytes<32>(4);
    secret.created_at = row.time(5);
    secret.number = static_cast<std::uint32_t>(row.integer(6));
    secret.expires_at = row.optional_time(7);
    secret.retired_at = row.optional_time(8);
    secret.tokens_ended = row.flag(9);
    if (const auto since = row.optional_time(10)) {
        secret.drain = Drain{*since, row.integer(11)};
    }
    secret.frozen = row.flag(12);
}

void read_row(const Statement& row, SecretUse& use) {
    use.tenant = tenant_at(row, 0);
    use.key = uuid_at(row, 1);
    use.secret = uuid_at(row, 2);
    use.at = row.time(3);
    use.source_ip = row.text(4);
    use.user_agent = row.text(5);
    use.day = {static_cast<std::int32_t>(row.integer(6))};
    use.count = static_cast<std::uint64_t>(row.integer(7));
}

void read_row(const Statement& row, User& user) {
    user.id = {tenant_at(row, 0), uuid_at(row, 1)};
    user.email = row.text(2);
    user.password_hash = row.text(3);
    user.password_is_temporary = row.flag(4);
    user.is_local = row.flag(5);
    user.groups = split_lines(row.text(6));
    user.attributes = row.text(7);
    user.enabled = row.flag(8);
    user.epoch = static_cast<std::uint32_t>(row.integer(9));
    user.created_by = row.text(10);
    user.created_at = row.time(11);
    user.updated_at = row.time(12);
    user.deleted_at = row.optional_time(13);
    user.last_login = row.optional_time(14);
}

void read_row(const Statement& row, AccessKey& key) {
    key.id = {tenant_at(row, 0), uuid_at(row, 1)};
    key.user = uuid_at(row, 2);
    key.client_id = row.text(3);
    key.name = row.text(4);
    key.epoch = static_cast<std::uint32_t>(row.integer(5));
    key.created_at = row.time(6);
    key.updated_at = row.time(7);
    key.deleted_at = row.optional_time(8);
    key.last_login = row.optional_time(9);
    key.limits = row.text(10);
    key.secrets.clear();
}

void read_row(const Statement& row, Session& session) {
    session.id = {tenant_at(row, 0), uuid_at(row, 1)};
    session.user = uuid_at(row, 2);
    session.client_id = row.text(3);
    session.generation = static_cast<std::uint32_t>(row.integer(4));
    session.created_at = row.time(5);
    session.updated_at = row.time(6);
    session.expires_at = row.time(7);
    session.narrowing = row.text(8);
    session.deleted_at.reset();
}

void read_row(const Statement& row, Role& role) {
    role.id = {tenant_at(row, 0), static_cast<std::int32_t>(row.integer(1))};
    role.name = row.text(2);
    role.description = row.text(3);
    role.enabled = row.flag(4);
    role.permission_sets.clear();
    for (const std::string& id : split_lines(row.text(5))) {
        role.permission_sets.push_back(Uuid::parse(id).value_or(Uuid{}));
    }
    role.kubernetes_role.reset();
    if (!row.is_null(6)) {
        role.kubernetes_role = row.text(6);
    }
    role.created_by = row.text(7);
    role.created_at = row.time(8);
    role.updated_at = row.time(9);
    role.deleted_at = row.optional_time(10);
}

void read_row(const Statement& row, IdentityProvider& provider) {
    provider.tenant = tenant_at(row, 0);
    provider.alias = row.text(1);
    provider.type = enum_at<IdentityProviderType>(row, 2);
    provider.name = row.text(3);
    provider.settings = row.text(4);
    const auto sealed = row.blob(5);
    provider.sealed_secret.assign(sealed.begin(), sealed.end());
    provider.mappers = row.text(6);
    provider.created_by = row.text(7);
    provider.created_at = row.time(8);
    provider.updated_at = row.time(9);
    provider.deleted_at.reset();
}

void read_row(const Statement& row, TenantSettings& settings) {
    settings.tenant = tenant_at(row, 0);
    settings.values = row.text(1);
    settings.updated_at = row.time(2);
}

void read_row(const Statement& row, OrgUnit& unit) {
    unit.id.tenant = tenant_at(row, 0);
    unit.id.type = enum_at<ScopeType>(row, 1);
    unit.id.value = row.text(2);
    unit.parent.tenant = unit.id.tenant;
    unit.parent.type = enum_at<ScopeType>(row, 3);
    unit.parent.value = row.text(4);
    unit.name = row.text(5);
    unit.description = row.text(6);
    unit.attributes = row.text(7);
    unit.created_by = row.text(8);
    unit.updated_by = row.text(9);
    unit.created_at = row.time(10);
    unit.updated_at = row.time(11);
    unit.deleted_at = row.optional_time(12);
}

void read_row(const Statement& row, AccessRule& rule) {
    rule.id = {tenant_at(row, 0), static_cast<std::int32_t>(row.integer(1))};
    rule.subject.type = enum_at<SubjectType>(row, 2);
    rule.subject.value = row.text(3);
    rule.role = {rule.id.tenant, static_cast<std::int32_t>(row.integer(4))};
    rule.scope.tenant = rule.id.tenant;
    rule.scope.type = enum_at<ScopeType>(row, 5);
    rule.scope.value = row.text(6);
    rule.created_by = row.text(7);
    rule.created_at = row.time(8);
    rule.updated_at = row.time(9);
    rule.deleted_at = row.optional_time(10);
}

void read_row(const Statement& row, SigningKey& key) {
    key.tenant = tenant_at(row, 0);
    key.kid = row.text(1);
    key.algorithm = enum_at<SigningAlgorithm>(row, 2);
    key.purpose = enum_at<KeyPurpose>(row, 3);
    const auto sealed = row.blob(4);
    key.sealed_private_key.assign(sealed.begin(), sealed.end());
    key.state = enum_at<KeyState>(row, 5);
    key.token_lifetime_seconds = row.integer(6);
    key.created_at = row.time(7);
    key.activates_at = row.time(8);
    key.retired_at = row.optional_time(9);
    key.burned_at = row.optional_time(10);
}

void read_row(const Statement& row, SealedRootKey& key) {
    key.master_key_id = row.text(0);
    const auto box = row.blob(1);
    key.box.assign(box.begin(), box.end());
    key.created_at = row.time(2);
}

void read_row(const Statement& row, Revocation& revocation) {
    revocation.tenant = tenant_at(row, 0);
    revocation.number = static_cast<std::uint64_t>(row.integer(1));
    revocation.kind = enum_at<RevocationKind>(row, 2);
    revocation.id = uuid_at(row, 3);
    revocation.name = row.text(4);
    revocation.epoch = static_cast<std::uint32_t>(row.integer(5));
    revocation.active = row.flag(6);
    revocation.at = row.time(7);
    revocation.expires_at = row.time(8);
    revocation.deleted_at.reset();
}

void read_row(const Statement& row, AuditEntry& entry) {
    entry.tenant = tenant_at(row, 0);
    entry.number = static_cast<std::uint64_t>(row.integer(1));
    entry.at = row.time(2);
    entry.payload = row.text(3);
    entry.hash = row.bytes<32>(4);
}

std::string join_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text.append(line).push_back('\n');
    }
    return text;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        lines.emplace_back(line);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return lines;
}

std::string select(std::string_view columns, std::string_view rest) {
    std::string sql = "SELECT ";
    sql.append(columns).append(" FROM ").append(rest);
    return sql;
}

} // namespace claviger
