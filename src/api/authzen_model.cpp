// SPDX-License-Identifier: Apache-2.0
#include "api/authzen_model.h"

#include "auth/asked_subject.h"

namespace claviger {

std::optional<Permission> permission_of(std::string_view resource_type, std::string_view action) {
    const auto type = find_resource_type(resource_type);
    const auto what = find_action(action);
    return type && what ? std::optional(Permission{*type, *what}) : std::nullopt;
}

std::optional<ScopeType> scope_type_named(std::string_view resource_type) {
    const auto type = ScopeTypeText::decode(resource_type);
    return type ? std::optional(type->value) : std::nullopt;
}

std::optional<NodeIndex> node_of(const Context& context, const AuthzenResource& resource) {
    const auto find = [&](ScopeType type) {
        return context.access().find({context.caller.tenant(), type, resource.id});
    };
    if (resource.properties && resource.properties->scope_type) {
        return find(resource.properties->scope_type->value);
    }
    if (const auto own = scope_type_named(resource.type)) {
        if (const auto node = find(*own)) {
            return node;
        }
    }
    for (const ScopeType type :
         {ScopeType::project, ScopeType::department, ScopeType::cluster, ScopeType::tenant}) {
        if (const auto node = find(type)) {
            return node;
        }
    }
    return std::nullopt;
}

std::optional<Subject> subject_of(const Context& context, const AuthzenSubject& asked) {
    const auto type = SubjectTypeText::decode(asked.type);
    return type ? find_asked_subject(context.state(), type->value, asked.id) : std::nullopt;
}

} // namespace claviger
