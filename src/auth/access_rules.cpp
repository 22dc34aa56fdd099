// SPDX-License-Identifier: Apache-2.0
#include "auth/access_rules.h"

#include "access/permission_sets.h"
#include "auth/last_administrator.h"
#include "auth/names.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr const char* entity = "access_rules";

/// An own role may have been deleted, or given more, since the request began.
Result<void> check_role_now(Transaction& transaction, const Caller& caller, RoleId id,
                            NodeIndex scope) {
    if (find_role(id.value) != nullptr) {
        return {};
    }
    const auto role = TRY(transaction.roles().find(id));
    if (!role) {
        return fail(ErrorCode::not_found, "what roleId names was deleted meanwhile");
    }
    return check_escalation(caller, permissions_of_sets(role->permission_sets), role->name, scope);
}

/// One permission of `wanted` that the caller does not hold at the scope, and why when it is not
/// for want of a rule.
std::optional<std::string> find_excess(const Caller& caller, const PermissionSet& wanted,
                                       NodeIndex scope) {
    const Rights rights = rights_of(caller.principal);
    const AccessSnapshot& access = caller.state->access;
    const PermissionSet held = permissions_at(access, rights.holder(), scope);
    for (const Permission permission : wanted.list()) {
        if (held.contains(permission)) {
            continue;
        }
        const DecisionReason reason =
            decide(access, {rights.subjects(), permission, scope, rights.limits()}).reason;
        const bool is_bound =
            reason == DecisionReason::beyond_key || reason == DecisionReason::beyond_token;
        return text_of(permission) +
               (is_bound ? " (" + std::string(name_of(reason)) + ")" : std::string());
    }
    return std::nullopt;
}

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

/// Whether an error is about what was asked for, not about the store.
bool is_refusal(const Error& error) {
    switch (error.code()) {
    case ErrorCode::invalid_request:
    case ErrorCode::access_denied:
    case ErrorCode::not_found:
    case ErrorCode::conflict:
        return true;
    default:
        return false;
    }
}

/// Does the entries that can be done in one transaction. When there are none, or it is a
/// rehearsal, the transaction is taken back.
template <class Outcomes, class Entry, class Do>
Result<Outcomes> write_batch(Store& store, BatchMode mode, std::span<const Entry> entries,
                             Do do_one) {
    Outcomes outcomes;
    if (entries.empty()) {
        return outcomes;
    }
    bool is_taken_back = false;
    auto written = store.write([&](Transaction& transaction) -> Result<void> {
        bool is_any_done = false;
        for (const Entry& entry : entries) {
            auto& outcome = outcomes.emplace_back(do_one(transaction, entry));
            if (!outcome && !is_refusal(outcome.error())) {
                return std::unexpected(outcome.error());
            }
            is_any_done = is_any_done || outcome;
        }
        is_taken_back = mode == BatchMode::rehearsal || !is_any_done;
        return is_taken_back ? fail(ErrorCode::conflict, "nothing is to be kept") : Result<void>();
    });
    if (!written && !is_taken_back) {
        return std::unexpected(std::move(written).error());
    }
    return outcomes;
}

} // namespace

bool is_reached_by_a_rule(const AccessSnapshot& access, std::span<const Subject> subjects) {
    return std::ranges::any_of(subjects, [&](const Subject& subject) {
        bool any = false;
        access.for_each_rule_of(subject, [&](const AccessRule&) { any = true; });
        return any;
    });
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
    return check_escalation(caller, *wanted, access.role_name(role.value), scope);
}

Result<void> check_escalation(const Caller& caller, const PermissionSet& wanted,
                              std::string_view role_name, NodeIndex scope) {
    const auto excess = find_excess(caller, wanted, scope);
    return excess ? fail(ErrorCode::access_denied,
                         "the role " + std::string(role_name) +
                             " holds more than you do at this scope, among it " + *excess)
                  : Result<void>();
}

Result<void> check_holds_no_more(const Caller& caller, const Principal& holder) {
    const AccessSnapshot& access = caller.state->access;
    const std::string who =
        holder.kind == PrincipalKind::user ? "this user" : "this service account";
    const Rights rights = rights_of(holder);
    Result<void> outcome;
    const auto check = [&](const AccessRule& rule) {
        const auto node = access.find(rule.scope);
        const PermissionSet* held = access.permissions_of_role(rule.role.value);
        if (!node || held == nullptr) {
            return;
        }
        PermissionSet wanted = *held;
        keep_within(access, rights.limits(), wanted);
        for (const NodeIndex part : scopes_within(access, rights.limits(), *node)) {
            const auto checked =
                check_escalation(caller, wanted, access.role_name(rule.role.value), part);
            if (!checked) {
                outcome = fail(ErrorCode::access_denied,
                               who + " holds more than you do: " + checked.error().detail());
            }
        }
    };
    for (const Subject& subject : rights.subjects()) {
        access.for_each_rule_of(subject, check);
    }
    return outcome;
}

Result<void> check_no_wider(const Caller& caller, const Principal& holder,
                            const CredentialLimits* limits) {
    const Principal& self = caller.principal;
    if (const auto excess = excess_of_use(self.limits.get(), limits)) {
        return fail(ErrorCode::access_denied,
                    "it would allow " + *excess + ", which your key does not; give it limits");
    }
    if (self.kind != holder.kind || self.id != holder.id) {
        Principal bound = holder;
        if (limits != nullptr) {
            bound.limits = std::make_shared<const CredentialLimits>(*limits); // as requests hold it
        }
        return check_holds_no_more(caller, bound);
    }
    // The same rules, also those that are made later: so the limits must be within the caller's.
    const AccessLimit* ceiling = limits != nullptr && limits->ceiling ? &*limits->ceiling : nullptr;
    const Rights rights = rights_of(self);
    for (const AccessLimit* own : rights.limits()) {
        if (const auto excess = excess_over(caller.state->access, *own, ceiling)) {
            return fail(ErrorCode::access_denied,
                        "its ceiling must be within your own: it would allow " + *excess + " (" +
                            std::string(name_of(reason_of(own->source))) + ")");
        }
    }
    return {};
}

AccessRules::AccessRules(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

Result<AccessRule> AccessRules::create_one(Transaction& transaction, const Caller& caller,
                                           const AccessRuleDraft& draft, Timestamp now) {
    const auto node = caller.state->access.find(draft.scope);
    if (!node) {
        return fail(ErrorCode::not_found, "nothing has this scopeId");
    }
    TRY(check_escalation(caller, draft.role, *node));
    AccessRule rule;
    rule.id.tenant = caller.tenant();
    rule.subject = draft.subject;
    rule.role = draft.role;
    rule.scope = draft.scope;
    rule.created_by = caller.principal.name;
    rule.created_at = now;
    rule.updated_at = now;
    const auto same = TRY(transaction.access_rules().find_same(rule));
    if (same) {
        return fail(ErrorCode::conflict, "This access rule already exists");
    }
    TRY(check_still_there(transaction, rule));
    TRY(check_role_now(transaction, caller, rule.role, *node));
    rule.id.value = TRY(transaction.next(Sequence::access_rule));
    TRY(transaction.access_rules().put(rule));
    AuditEvent event = change_event(caller, now, audit_action::create, entity,
                                    std::to_string(rule.id.value), rule.subject.value);
    event.metadata.emplace_back("role", caller.state->access.role_name(rule.role.value));
    event.metadata.emplace_back("scope", rule.scope.value);
    TRY(name_cluster(event, transaction, rule.scope));
    TRY(append_change_event(transaction, event));
    return rule;
}

Result<void> AccessRules::remove_one(Transaction& transaction, const Caller& caller,
                                     AccessRuleId id, Timestamp now) {
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
        auto left = check_administrator_left(transaction, caller.tenant());
        if (!left) {
            TRY(transaction.access_rules().put(*found)); // others of the batch may go
            return left;
        }
    }
    AuditEvent event = change_event(caller, now, audit_action::remove, entity,
                                    std::to_string(id.value), rule.subject.value);
    TRY(name_cluster(event, transaction, rule.scope));
    return append_change_event(transaction, event);
}

Result<AccessRule> AccessRules::create(const Caller& caller, const AccessRuleDraft& draft) {
    auto outcomes = TRY(create_all(caller, {&draft, 1}));
    return std::move(outcomes.front());
}

Result<void> AccessRules::remove(const Caller& caller, AccessRuleId id) {
    auto outcomes = TRY(remove_all(caller, {&id, 1}, BatchMode::real));
    return std::move(outcomes.front());
}

Result<RulesCreated> AccessRules::create_all(const Caller& caller,
                                             std::span<const AccessRuleDraft> drafts) {
    const Timestamp now = clock_.now();
    return write_batch<RulesCreated>(store_, BatchMode::real, drafts,
                                     [&](Transaction& transaction, const AccessRuleDraft& draft) {
                                         return create_one(transaction, caller, draft, now);
                                     });
}

Result<RulesRemoved> AccessRules::remove_all(const Caller& caller,
                                             std::span<const AccessRuleId> ids, BatchMode mode) {
    const Timestamp now = clock_.now();
    return write_batch<RulesRemoved>(store_, mode, ids,
                                     [&](Transaction& transaction, AccessRuleId id) {
                                         return remove_one(transaction, caller, id, now);
                                     });
}

} // namespace claviger
