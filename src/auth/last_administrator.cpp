// SPDX-License-Identifier: Apache-2.0
#include "auth/last_administrator.h"

#include <algorithm>

#include "access/role.h"

namespace claviger {
namespace {

Result<bool> can_sign_in(Transaction& transaction, TenantId tenant, const Subject& subject) {
    if (subject.type == SubjectType::user) {
        const auto user = TRY(transaction.users().find_by_email(tenant, subject.value));
        return user && counts_as_administrator(*user);
    }
    const auto id =
        subject.type == SubjectType::service_account ? Uuid::parse(subject.value) : std::nullopt;
    if (!id) {
        return false;
    }
    const auto account = TRY(transaction.service_accounts().find({tenant, *id}));
    return account && account->enabled;
}

} // namespace

bool counts_as_administrator(const User& user) {
    return user.enabled && user.is_local && !user.password_hash.empty();
}

bool makes_administrator(const AccessRule& rule) {
    return rule.role.value == system_administrator && rule.scope == tenant_scope(rule.id.tenant);
}

Result<void> check_administrator_left(Transaction& transaction, TenantId tenant) {
    const auto rules = TRY(transaction.access_rules().of_role({tenant, system_administrator}));
    for (const AccessRule& rule : rules) {
        if (makes_administrator(rule)) {
            const bool counts = TRY(can_sign_in(transaction, tenant, rule.subject));
            if (counts) {
                return {};
            }
        }
    }
    return fail(ErrorCode::conflict,
                "this is the tenant's last System administrator who can sign in; make another one "
                "first: an enabled service account or local user with the role at the tenant");
}

Result<void> check_administrator_left_without(Transaction& transaction, TenantId tenant,
                                              const Subject& subject) {
    const auto rules = TRY(transaction.access_rules().of_subject(tenant, subject));
    return std::ranges::any_of(rules, makes_administrator)
               ? check_administrator_left(transaction, tenant)
               : Result<void>{};
}

Result<std::size_t> remove_rules_of(Transaction& transaction, TenantId tenant,
                                    const Subject& subject, Timestamp now) {
    auto rules = TRY(transaction.access_rules().of_subject(tenant, subject));
    for (AccessRule& rule : rules) {
        rule.deleted_at = now;
        rule.updated_at = now;
        TRY(transaction.access_rules().put(rule));
    }
    if (std::ranges::any_of(rules, makes_administrator)) {
        TRY(check_administrator_left(transaction, tenant));
    }
    return rules.size();
}

} // namespace claviger
