// SPDX-License-Identifier: Apache-2.0
#include "api/access_rule_view.h"

#include "access/role.h"

namespace claviger {
namespace {

/// The name of a rule's subject: of an account its name, or its id when it is gone.
std::string subject_name(const TenantState& state, const Subject& subject) {
    if (subject.type != SubjectType::service_account) {
        return subject.value;
    }
    const auto id = Uuid::parse(subject.value);
    const AccountEntry* account = id ? state.accounts.find(*id) : nullptr;
    return account != nullptr ? account->name : subject.value;
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
    const PredefinedRole* role = find_role(rule.role.value);
    AccessRuleView view;
    view.id = rule.id.value;
    view.subject_id = subject_name(state, rule.subject);
    view.subject_type = {rule.subject.type};
    view.role_id = rule.role.value;
    view.role_name = role != nullptr ? role->name : "";
    view.scope_id = rule.scope.value;
    view.scope_type = {rule.scope.type};
    view.scope_name = node ? state.access.name(*node) : std::string_view();
    view.cluster_id = cluster_of(state.access, node);
    view.created_at = rule.created_at;
    view.updated_at = rule.updated_at;
    view.deleted_at = {rule.deleted_at};
    view.created_by = rule.created_by;
    view.tenant_id = number_of(rule.id.tenant);
    view.status.phase = rule.deleted_at ? "Deleting" : "Ready";
    return view;
}

const std::vector<ListField<AccessRuleView>>& access_rule_fields() {
    using View = AccessRuleView;
    using Number = std::optional<std::int64_t>;
    static const std::vector<ListField<View>> fields{
        {"subjectId", FieldKind::text, [](const View& v) { return v.subject_id; }, nullptr},
        {"subjectType", FieldKind::text, [](const View& v) { return v.subject_type.wire(); },
         nullptr},
        {"roleId", FieldKind::number, nullptr, [](const View& v) -> Number { return v.role_id; }},
        {"scopeId", FieldKind::text, [](const View& v) { return v.scope_id; }, nullptr},
        {"scopeType", FieldKind::text, [](const View& v) { return v.scope_type.wire(); }, nullptr},
        {"roleName", FieldKind::text, [](const View& v) { return v.role_name; }, nullptr},
        {"scopeName", FieldKind::text, [](const View& v) { return v.scope_name; }, nullptr},
        {"createdAt", FieldKind::time, nullptr,
         [](const View& v) -> Number { return v.created_at.microseconds; }},
        {"deletedAt", FieldKind::time, nullptr,
         [](const View& v) -> Number {
             return v.deleted_at.value ? Number(v.deleted_at.value->microseconds) : std::nullopt;
         }},
        {"createdBy", FieldKind::text, [](const View& v) { return v.created_by; }, nullptr},
        {"phase", FieldKind::text, [](const View& v) { return v.status.phase; }, nullptr}};
    return fields;
}

bool access_rule_found(const AccessRuleView& view, std::string_view search) {
    return contains_ignoring_case(view.subject_id, search) ||
           contains_ignoring_case(view.role_name, search) ||
           contains_ignoring_case(view.scope_name, search);
}

} // namespace claviger
