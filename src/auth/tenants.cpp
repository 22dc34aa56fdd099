// SPDX-License-Identifier: Apache-2.0
#include "auth/tenants.h"

#include <algorithm>

#include "access/role.h"
#include "auth/names.h"
#include "auth/signing_keys.h"
#include "base/text.h"

namespace claviger {
namespace {

Result<void> check_names(const NewTenant& draft) {
    if (!is_display_name(draft.name)) {
        return fail(ErrorCode::invalid_request, "the tenant's name is empty or too long");
    }
    if (!is_realm_name(draft.realm)) {
        return fail(ErrorCode::invalid_request,
                    "a realm is 1 to 63 lower-case letters, digits and inner hyphens");
    }
    if (!draft.host.empty() && !is_host_name(draft.host)) {
        return fail(ErrorCode::invalid_request,
                    "a host is a lower-case host name without scheme and port");
    }
    if (!is_email_address(draft.admin_email)) {
        return fail(ErrorCode::invalid_request, "the administrator's e-mail is no e-mail address");
    }
    return {};
}

/// Realms and hosts name one tenant each, and a tenant for any host must be alone.
Result<void> check_unique(const std::vector<Tenant>& tenants, const NewTenant& draft) {
    for (const Tenant& other : tenants) {
        if (other.realm == draft.realm) {
            return fail(ErrorCode::conflict, "there is a tenant with the realm " + draft.realm);
        }
        if (!draft.host.empty() && other.host == draft.host) {
            return fail(ErrorCode::conflict, "there is a tenant with the host " + draft.host);
        }
    }
    if (!tenants.empty() && draft.host.empty()) {
        return fail(ErrorCode::invalid_request,
                    "a second tenant needs a host name of its own (--host)");
    }
    return {};
}

} // namespace

AuditEvent operator_event(TenantId tenant, Timestamp at, std::string_view action,
                          std::string entity_type, std::string entity_id, std::string entity_name) {
    AuditEvent event;
    event.tenant = tenant;
    event.at = at;
    event.action = action;
    event.subject = operator_name;
    event.entity_type = std::move(entity_type);
    event.entity_id = std::move(entity_id);
    event.entity_name = std::move(entity_name);
    return event;
}

Tenants::Tenants(Store& store, const Directory& directory, const KeyVault& vault,
                 Passwords& passwords, const TokenSettings& settings, const Clock& clock,
                 Random& random)
    : store_(store), directory_(directory), vault_(vault), passwords_(passwords),
      settings_(settings), clock_(clock), random_(random) {}

std::vector<Tenant> Tenants::list() const {
    std::vector<Tenant> tenants;
    for (const TenantStatePointer& state : directory_.current()->tenants) {
        tenants.push_back(state->tenant);
    }
    std::ranges::sort(tenants, {}, &Tenant::id);
    return tenants;
}

Result<void> Tenants::insert_administrator(Transaction& transaction, const Tenant& tenant,
                                           const std::string& email,
                                           const std::string& password_hash) {
    User user;
    user.id = {tenant.id, Uuid::make(random_)};
    user.email = email;
    user.password_hash = password_hash;
    user.created_by = operator_name;
    user.created_at = tenant.created_at;
    user.updated_at = tenant.created_at;
    TRY(transaction.users().put(user));
    AccessRule rule;
    const std::int32_t number = TRY(transaction.next(Sequence::access_rule));
    rule.id = {tenant.id, number};
    rule.subject = {SubjectType::user, email};
    rule.role = {tenant.id, system_administrator};
    rule.scope = tenant_scope(tenant.id);
    rule.created_by = operator_name;
    rule.created_at = tenant.created_at;
    rule.updated_at = tenant.created_at;
    TRY(transaction.access_rules().put(rule));
    return append_change_event(transaction,
                               operator_event(tenant.id, tenant.created_at, audit_action::create,
                                              "users", user.id.value.text(), email));
}

Result<AddedTenant> Tenants::add(const NewTenant& draft) {
    TRY(check_names(draft));
    AddedTenant added;
    added.admin_email = ascii_lower(draft.admin_email);
    if (!draft.admin_password) {
        added.generated_password = generate_password(random_);
    }
    const std::string_view password =
        draft.admin_password ? draft.admin_password->reveal() : added.generated_password->reveal();
    if (draft.admin_password) {
        const std::string local = added.admin_email.substr(0, added.admin_email.find('@'));
        TRY(check_new_password(password, {added.admin_email, local, draft.name, draft.realm}));
    }
    const std::string password_hash = TRY(passwords_.hash(password));
    const Timestamp now = clock_.now();
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto tenants = TRY(transaction.tenants().all());
        TRY(check_unique(tenants, draft));
        const std::int32_t number = TRY(transaction.next(Sequence::tenant));
        added.tenant = {TenantId{number}, draft.realm, draft.host, draft.name, true, now, now};
        TRY(transaction.tenants().put(added.tenant));
        const auto keys = TRY(SigningKeys::make_first(vault_, added.tenant.id, settings_, now));
        for (const SigningKey& key : keys) {
            TRY(transaction.signing_keys().put(key));
        }
        TRY(append_change_event(transaction,
                                operator_event(added.tenant.id, now, audit_action::create, "tenant",
                                               std::to_string(number), draft.name)));
        return insert_administrator(transaction, added.tenant, added.admin_email, password_hash);
    }));
    return added;
}

Result<Tenant> Tenants::set_enabled(std::string_view realm, bool enabled) {
    const Timestamp now = clock_.now();
    Tenant tenant;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto tenants = TRY(transaction.tenants().all());
        const auto at = std::ranges::find(tenants, realm, &Tenant::realm);
        if (at == tenants.end()) {
            return fail(ErrorCode::not_found,
                        "there is no tenant with the realm " + std::string(realm));
        }
        tenant = *at;
        if (tenant.enabled == enabled) {
            return {};
        }
        tenant.enabled = enabled;
        tenant.updated_at = now;
        TRY(transaction.tenants().put(tenant));
        AuditEvent event = operator_event(tenant.id, now, audit_action::update, "tenant",
                                          std::to_string(number_of(tenant.id)), tenant.name);
        event.metadata.emplace_back("enabled", enabled ? "true" : "false");
        return append_change_event(transaction, event);
    }));
    return tenant;
}

} // namespace claviger
