// SPDX-License-Identifier: Apache-2.0
#include "store/row_facts.h"

namespace claviger {

namespace {

RowFacts facts(const Tenant& tenant) {
    return {tenant.id, "tenant", std::to_string(number_of(tenant.id)), tenant.updated_at};
}
RowFacts facts(const ServiceAccount& account) {
    return {account.id.tenant, "service_account", account.id.value.text(), account.updated_at};
}
RowFacts facts(const User& user) {
    return {user.id.tenant, "user", user.id.value.text(), user.updated_at};
}
RowFacts facts(const AccessKey& key) {
    return {key.id.tenant, "access_key", key.id.value.text(), key.updated_at};
}
RowFacts facts(const Session& session) {
    return {session.id.tenant, "session", session.id.value.text(), session.updated_at};
}
RowFacts facts(const Role& role) {
    return {role.id.tenant, "role", std::to_string(role.id.value), role.updated_at};
}
RowFacts facts(const IdentityProvider& provider) {
    return {provider.tenant, "identity_provider", provider.alias, provider.updated_at};
}
RowFacts facts(const TenantSettings& settings) {
    return {settings.tenant, "tenant_settings", std::to_string(number_of(settings.tenant)),
            settings.updated_at};
}
RowFacts facts(const OrgUnit& unit) {
    return {unit.id.tenant, "org_unit", unit.id.value, unit.updated_at};
}
RowFacts facts(const AccessRule& rule) {
    return {rule.id.tenant, "access_rule", std::to_string(rule.id.value), rule.updated_at};
}
RowFacts facts(const Revocation& revocation) {
    return {revocation.tenant, "revocation", std::to_string(revocation.number), revocation.at};
}
RowFacts facts(const SigningKey& key) {
    const Timestamp began = key.state == KeyState::active ? key.activates_at : key.created_at;
    return {key.tenant, "signing_key", key.kid,
            key.burned_at.value_or(key.retired_at.value_or(began))};
}

Result<void> check(bool one_tenant) {
    return one_tenant ? Result<void>{}
                      : fail(ErrorCode::internal, "a row that mixes tenants was to be stored");
}

} // namespace

RowFacts facts_of(const Row& row) {
    return std::visit([](const auto& noun) { return facts(noun); }, row);
}

Result<void> check_one_tenant(const OrgUnit& unit) {
    return check(unit.parent.tenant == unit.id.tenant);
}

Result<void> check_one_tenant(const AccessRule& rule) {
    return check(rule.role.tenant == rule.id.tenant && rule.scope.tenant == rule.id.tenant);
}

} // namespace claviger
