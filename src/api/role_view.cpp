// SPDX-License-Identifier: Apache-2.0
#include "api/role_view.h"

#include "api/scope_text.h"

namespace claviger {

std::int32_t ListedRole::number() const {
    return own != nullptr ? own->row.id.value : predefined->number;
}

std::string_view ListedRole::name() const {
    return own != nullptr ? std::string_view(own->row.name) : predefined->name;
}

std::string_view ListedRole::description() const {
    return own != nullptr ? std::string_view(own->row.description) : predefined->description;
}

std::string_view ListedRole::created_by() const {
    return own != nullptr ? std::string_view(own->row.created_by) : "Claviger";
}

Timestamp ListedRole::created_at() const {
    return own != nullptr ? own->row.created_at : tenant->created_at;
}

Timestamp ListedRole::updated_at() const {
    return own != nullptr ? own->row.updated_at : tenant->created_at;
}

bool ListedRole::enabled() const {
    return own == nullptr || own->row.enabled;
}

const PermissionSet& ListedRole::permissions() const {
    return own != nullptr ? own->permissions : predefined->permissions;
}

KubernetesPermissions ListedRole::kubernetes_permissions() const {
    return {{own != nullptr ? own->row.kubernetes_role : std::nullopt}};
}

ScopeType ListedRole::scope_type() const {
    return own != nullptr ? ScopeType::tenant : ScopeType::system;
}

namespace {

std::string truth(bool value) {
    return value ? "true" : "false";
}

} // namespace

std::optional<ListedRole> find_listed_role(const TenantState& state, std::int32_t number) {
    if (const PredefinedRole* predefined = find_role(number)) {
        return ListedRole{&state.tenant, predefined, nullptr};
    }
    const OwnRole* own = state.access.own_role(number);
    return own != nullptr ? std::optional(ListedRole{&state.tenant, nullptr, own}) : std::nullopt;
}

std::vector<ListedRole> listed_roles(const TenantState& state) {
    std::vector<ListedRole> roles;
    for (const PredefinedRole& role : predefined_roles()) {
        roles.push_back({&state.tenant, &role, nullptr});
    }
    state.access.for_each_own_role(
        [&](const OwnRole& role) { roles.push_back({&state.tenant, nullptr, &role}); });
    return roles;
}

const std::vector<ListField<ListedRole>>& role_fields() {
    using Listed = ListedRole;
    using Text = std::string;
    using Number = std::optional<std::int64_t>;
    static const std::vector<ListField<Listed>> fields{
        {"name", FieldKind::text, [](const Listed& r) { return Text(r.name()); }, nullptr},
        {"createdAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number { return r.created_at().microseconds; }},
        {"createdBy", FieldKind::text, [](const Listed& r) { return Text(r.created_by()); },
         nullptr},
        {"custom", FieldKind::text, [](const Listed& r) { return truth(r.own != nullptr); },
         nullptr},
        {"scopeType", FieldKind::text,
         [](const Listed& r) { return Text(name_of(r.scope_type())); }, nullptr},
        {"enabled", FieldKind::text, [](const Listed& r) { return truth(r.enabled()); }, nullptr}};
    return fields;
}

bool listed_role_found(const ListedRole& role, std::string_view search) {
    return contains_ignoring_case(role.name(), search) ||
           contains_ignoring_case(role.description(), search) ||
           contains_ignoring_case(role.created_by(), search);
}

} // namespace claviger
