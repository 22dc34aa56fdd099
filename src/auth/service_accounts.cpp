// SPDX-License-Identifier: Apache-2.0
#include "auth/service_accounts.h"

#include "auth/access_rules.h"
#include "auth/last_administrator.h"
#include "auth/names.h"

namespace claviger {
namespace {

Subject subject_of(const Uuid& id) {
    return {SubjectType::service_account, id.text()};
}

Principal principal_of(const ServiceAccount& account) {
    return {PrincipalKind::service_account, account.id.value, account.name};
}

Result<ServiceAccount> find(Transaction& transaction, ServiceAccountId id) {
    const auto account = TRY(transaction.service_accounts().find(id));
    if (!account) {
        return fail(ErrorCode::not_found, "no service account has this serviceAccountId");
    }
    return *account;
}

} // namespace

ServiceAccounts::ServiceAccounts(Store& store, const Pepper& pepper, const Clock& clock,
                                 Random& random)
    : store_(store), pepper_(pepper), clock_(clock), random_(random) {}

Result<NewServiceAccount> ServiceAccounts::create(const Caller& caller, std::string_view name,
                                                  std::string_view limits) {
    if (!is_resource_name(name)) {
        return fail(ErrorCode::invalid_request,
                    "name must match ^[a-z][-_a-z0-9]*[a-z0-9]$ and be at most 255 characters");
    }
    if (name.starts_with(access_key_prefix)) {
        return fail(ErrorCode::invalid_request,
                    "names that start with \"ak-\" are kept for the access keys of users");
    }
    const Timestamp now = clock_.now();
    const CredentialLimits bounds = TRY(parse_new_limits(caller.state->access, limits, now));
    NewServiceAccount made;
    made.client_secret = generate_client_secret(random_, SecretKind::service_account);
    ServiceAccount& account = made.account;
    account.id = {caller.tenant(), Uuid::make(random_)};
    account.name = name;
    account.limits = limits;
    account.secrets.push_back(keep_client_secret(pepper_, random_, name, made.client_secret, now));
    TRY(check_no_wider(caller, principal_of(account), &bounds));
    account.created_by = caller.principal.name;
    account.created_at = now;
    account.updated_at = now;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto taken =
            TRY(transaction.service_accounts().find_by_name(caller.tenant(), account.name));
        if (taken) {
            return fail(ErrorCode::conflict, "Resource with this name already exists");
        }
        TRY(transaction.service_accounts().put(account));
        AuditEvent event = change_event(caller, now, audit_action::create, service_account_entity,
                                        account.id.value.text(), account.name);
        if (account.limits != no_limits) {
            event.metadata.emplace_back("limits", account.limits);
        }
        return append_change_event(transaction, event);
    }));
    return made;
}

Result<void> ServiceAccounts::set_enabled(const Caller& caller, const Uuid& id, bool enabled) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        ServiceAccount account = TRY(find(transaction, {caller.tenant(), id}));
        if (account.enabled == enabled) {
            return {};
        }
        account.enabled = enabled;
        account.epoch += enabled ? 0 : 1;
        account.updated_at = now;
        TRY(transaction.service_accounts().put(account));
        if (!enabled) {
            TRY(check_administrator_left_without(transaction, caller.tenant(), subject_of(id)));
        }
        AuditEvent event = change_event(caller, now, audit_action::update, service_account_entity,
                                        id.text(), account.name);
        event.metadata.emplace_back("enabled", enabled ? "true" : "false");
        return append_change_event(transaction, event);
    });
}

Result<void> ServiceAccounts::set_limits(const Caller& caller, const Uuid& id,
                                         std::string_view limits) {
    const Timestamp now = clock_.now();
    const AccessSnapshot& access = caller.state->access;
    const CredentialLimits next = TRY(parse_limits(caller.tenant(), limits));
    TRY(check_names(access, next));
    return store_.write([&](Transaction& transaction) -> Result<void> {
        ServiceAccount account = TRY(find(transaction, {caller.tenant(), id}));
        const LimitsPointer before = read_limits(caller.tenant(), account.limits);
        if (excess_over(access, before.get(), &next)) {
            TRY(check_no_wider(caller, principal_of(account), &next));
        }
        account.limits = limits;
        account.epoch += leaves_nothing(next, now) ? 1U : 0U;
        account.updated_at = now;
        TRY(transaction.service_accounts().put(account));
        AuditEvent event = change_event(caller, now, audit_action::update, service_account_entity,
                                        id.text(), account.name);
        event.metadata.emplace_back("limits", account.limits);
        return append_change_event(transaction, event);
    });
}

Result<void> ServiceAccounts::remove(const Caller& caller, const Uuid& id) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        ServiceAccount account = TRY(find(transaction, {caller.tenant(), id}));
        const std::size_t rules =
            TRY(remove_rules_of(transaction, caller.tenant(), subject_of(id), now));
        account.deleted_at = now;
        account.updated_at = now;
        account.epoch += 1;
        account.secrets.clear();
        TRY(transaction.service_accounts().put(account));
        AuditEvent event = change_event(caller, now, audit_action::remove, service_account_entity,
                                        id.text(), account.name);
        event.metadata.emplace_back("access_rules_removed", std::to_string(rules));
        return append_change_event(transaction, event);
    });
}

} // namespace claviger
