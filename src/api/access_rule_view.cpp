// SPDX-License-Identifier: Apache-2.0
#include "api/access_rule_view.h"

namespace claviger {
namespace {

std::optional<Uuid> account_of(const Subject& subject) {
    return subject.type == SubjectType::service_account ? Uuid::parse(subject.value) : std::nullopt;
}

/// The name of a rule's subject: of an account its name, or its id when it is gone.
std::string subject_name(const TenantState& state, const Subject& subject) {
    const auto id = account_of(subject);
    const AccountEntry* account = id ? state.accounts.find(*id) : nullptr;
    return account != nullptr ? account->name : subject.value;
}

std::string_view phase_of(bool is_deleted) {
    return is_deleted ? "Deleting" : "Ready";
}

} // namespace

std::optional<std::string> cluster_of(const AccessSnapshot& access, std::optional<NodeIndex> node) {
    while (node) {
        const ScopeId id = access.scope_id(*node);
        if (id.type == ScopeType::cluster) {
            return id.value;
        }
        node = access.parent(*node);
    }
    return std::nullopt;
}

AccessRuleView access_rule_view(const TenantState& state, const AccessRule& rule) {
    const auto node = state.access.find(rule.scope);
    AccessRuleView view;
    view.id = rule.id.value;
    view.subject_id = subject_name(state, rule.subject);
    view.subject_type = {rule.subject.type};
    view.role_id = rule.role.value;
    view.role_name = state.access.role_name(rule.role.value);
    view.scope_id = rule.scope.value;
    view.scope_type = {rule.scope.type};
    view.scope_name = node ? state.access.name(*node) : std::string_view();
    view.cluster_id = cluster_of(state.access, node);
    view.created_at = rule.created_at;
    view.updated_at = rule.updated_at;
    view.deleted_at = {rule.deleted_at};
    view.created_by = rule.created_by;
    view.tenant_id = number_of(rule.id.tenant);
    view.status.phase = phase_of(rule.deleted_at.has_value());
    return view;
}

bool access_rule_found(const AccessRuleView& view, std::string_view search) {
    return contains_ignoring_case(view.subject_id, search) ||
           contains_ignoring_case(view.role_name, search) ||
           contains_ignoring_case(view.scope_name, search);
}

RuleInPlace without_scope(const AccessRule& deleted) {
    return {
        deleted.id.value,   deleted.role.value, {}, nullptr, &deleted.subject, &deleted.created_by,
        deleted.created_at, deleted.updated_at};
}

std::string ListedRule::subject() const {
    if (rule.account == nullptr) {
        return subject_name(state, *rule.named);
    }
    const AccountEntry* found = state.accounts.find(*rule.account);
    return found != nullptr ? found->name : rule.account->text();
}

ScopeId ListedRule::scope_id() const {
    return deleted != nullptr ? deleted->scope : state.access.scope_id(rule.scope);
}

std::optional<NodeIndex> ListedRule::scope() const {
    return deleted != nullptr ? state.access.find(deleted->scope) : std::optional(rule.scope);
}

std::string_view ListedRule::role_name() const {
    return state.access.role_name(rule.role);
}

std::string_view ListedRule::scope_name() const {
    const auto node = scope();
    return node ? state.access.name(*node) : std::string_view();
}

const std::vector<ListField<ListedRule>>& access_rule_fields() {
    using Listed = ListedRule;
    using Text = std::string;
    using Number = std::optional<std::int64_t>;
    static const std::vector<ListField<Listed>> fields{
        {"subjectId", FieldKind::text, [](const Listed& r) { return r.subject(); }, nullptr},
        {"subjectType", FieldKind::text,
         [](const Listed& r) { return Text(name_of(r.rule.subject_type())); }, nullptr},
        {"roleId", FieldKind::number, nullptr,
         [](const Listed& r) -> Number { return r.rule.role; }},
        {"scopeId", FieldKind::text, [](const Listed& r) { return r.scope_id().value; }, nullptr},
        {"scopeType", FieldKind::text,
         [](const Listed& r) { return Text(name_of(r.scope_id().type)); }, nullptr},
        {"roleName", FieldKind::text, [](const Listed& r) { return Text(r.role_name()); }, nullptr},
        {"scopeName", FieldKind::text, [](const Listed& r) { return Text(r.scope_name()); },
         nullptr},
        {"createdAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number { return r.rule.created_at.microseconds; }},
        {"deletedAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number {
             return r.deleted != nullptr ? Number(r.deleted->deleted_at->microseconds)
                                         : std::nullopt;
         }},
        {"createdBy", FieldKind::text, [](const Listed& r) { return *r.rule.creator; }, nullptr},
        {"phase", FieldKind::text,
         [](const Listed& r) { return Text(phase_of(r.deleted != nullptr)); }, nullptr}};
    return fields;
}

} // namespace claviger
