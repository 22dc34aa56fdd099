// SPDX-License-Identifier: Apache-2.0
#include "auth/access_rules.h"

#include "auth/last_administrator.h"
#include "auth/names.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr const char* entity = "access_rules";

/// The snapshot may be older than the transaction: what the rule binds must still exist.
Result<void> check_still_there(Transaction& transaction, const AccessRule& rule) {
    if (rule.scope.type != ScopeType::tenant) {
        const auto unit = TRY(transaction.org_units().find(rule.scope));
        if (!unit) {
            return fail(ErrorCode::not_found, "what scopeId names was deleted meanwhile");
        }
    }
    if (rule.subject.type == SubjectType::service_account) {
        const auto id = Uuid::parse(rule.subject.value);
        const auto account =
            TRY(transaction.service_accounts().find({rule.id.tenant, id.value_or(Uuid{})}));
        if (!account) {
            return fail(ErrorCode::not_found, "what subjectId names was deleted meanwhile");
        }
    }
    return {};
}

} // namespace

Subjects::Subjects(const Principal& principal) : self_(principal.subject()) {
    if (!principal.groups.empty()) {
        all_.push_back(self_);
        for (const std::string& group : principal.groups) {
            all_.push_back({SubjectType::group, group});
        }
    }
}

Result<Subject> resolve_subject(const TenantState& state, SubjectType type, std::string_view text) {
    if (type == SubjectType::group) {
        if (!is_display_name(text)) {
            return fail(ErrorCode::invalid_request, "subjectId is no group name");
        }
        return Subject{type, std::string(text)};
    }
    const auto id = Uuid::parse(text);
    if (type == SubjectType::user) {
        if (const User* user = id ? state.users.find(*id) : nullptr) {
            return Subject{type, user->email};
        }
        if (!is_email_address(text)) {
            return fail(ErrorCode::invalid_request, "subjectId is no e-mail address");
        }
        return Subject{type, ascii_lower(text)};
    }
    const AccountEntry* account = state.accounts.find_by_name(text);
    if (account == nullptr && id) {
        account = state.accounts.find(*id);
    }
    if (account == nullptr) {
        return fail(ErrorCode::not_found, "no service account has this subjectId");
    }
    return Subject{type, account->id.text()};
}

Result<void> check_escalation(const Caller& caller, RoleId role, NodeIndex scope) {
    const AccessSnapshot& access = caller.state->access;
    const PermissionSet* wanted = access.permissions_of_role(role.value);
    if (wanted == nullptr) {
        return fail(ErrorCode::invalid_request, "roleId names no role");
    }
    const auto subjects = subjects_of(caller.principal);
    const PermissionSet held = permissions_at(access, subjects, scope);
    if (held.includes(*wanted)) {
        return {};
    }
    for (const Permission permission : wanted->list()) {
        if (!held.contains(permission)) {
            return fail(ErrorCode::access_denied,
                        "the role " + std::string(access.role_name(role.value)) +
                            " holds more than you do at this scope, among it " +
                            text_of(permission));
        }
    }
    return fail(ErrorCode::access_denied, "the role holds more than you do at this scope");
}

AccessRules::AccessRules(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

Result<AccessRule> AccessRules::create(const Caller& caller, const AccessRuleDraft& draft) {
    const auto node = caller.state->access.find(draft.scope);
    if (!node) {
        return fail(ErrorCode::not_found, "nothing has this scopeId");
    }
    TRY(check_escalation(caller, draft.role, *node));
    const Timestamp now = clock_.now();
    AccessRule rule;
    rule.id.tenant = caller.tenant();
    rule.subject = draft.subject;
    rule.role = draft.role;
    rule.scope = draft.scope;
    rule.created_by = caller.principal.name;
    rule.created_at = now;
    rule.updated_at = now;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto same = TRY(transaction.access_rules().find_same(rule));
        if (same) {
            return fail(ErrorCode::conflict, "This access rule already exists");
        }
        TRY(check_still_there(transaction, rule));
        rule.id.value = TRY(transaction.next(Sequence::access_rule));
        TRY(transaction.access_rules().put(rule));
        AuditEvent event = change_event(caller, now, audit_action::create, entity,
                                        std::to_string(rule.id.value), rule.subject.value);
        event.metadata.emplace_back("role", caller.state->access.role_name(rule.role.value));
        event.metadata.emplace_back("scope", rule.scope.value);
        return append_change_event(transaction, event);
    }));
    return rule;
}

Result<void> AccessRules::remove(const Caller& caller, AccessRuleId id) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        const auto found = TRY(transaction.access_rules().find(id));
        if (!found) {
            return fail(ErrorCode::not_found, "no access rule has this accessRuleId");
        }
        AccessRule rule = *found;
        if (const auto node = caller.state->access.find(rule.scope)) {
            TRY(check_escalation(caller, rule.role, *node));
        }
        rule.deleted_at = now;
        rule.updated_at = now;
        TRY(transaction.access_rules().put(rule));
        if (makes_administrator(rule)) {
            TRY(check_administrator_left(transaction, caller.tenant()));
        }
        return append_change_event(transaction,
                                   change_event(caller, now, audit_action::remove, entity,
                                                std::to_string(id.value), rule.subject.value));
    });
}

} // namespace claviger
