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

Subjects::Subjects(const Principal& principal) : self_(principal.subject()) {
    if (!principal.groups.empty()) {
        all_.push_back(self_);
        for (const std::string& group : principal.groups) {
            all_.push_back({SubjectType::group, group});
        }
    }
}

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
    const auto subjects = subjects_of(caller.principal);
    const PermissionSet held = permissions_at(caller.state->access, subjects, scope);
    for (const Permission permission : wanted.list()) {
        if (!held.contains(permission)) {
            return fail(ErrorCode::access_denied,
                        "the role " + std::string(role_name) +
                            " holds more than you do at this scope, among it " +
                            text_of(permission));
        }
    }
    return {};
}

Result<void> check_holds_no_more(const Caller& caller, std::span<const Subject> subjects) {
    const AccessSnapshot& access = caller.state->access;
    const bool is_account = subjects.front().type == SubjectType::service_account;
    const std::string who = is_account ? "this service account" : "this user";
    Result<void> outcome;
    for (const Subject& subject : subjects) {
        access.for_each_rule_of(subject, [&](const AccessRule& rule) {
            const auto node = access.find(rule.scope);
            if (!node) {
                return;
            }
            const auto held = check_escalation(caller, rule.role, *node);
            if (!held && held.error().code() == ErrorCode::access_denied) {
                outcome = fail(ErrorCode::access_denied,
                               who + " holds more than you do: " + held.error().detail());
            }
        });
    }
    return outcome;
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
