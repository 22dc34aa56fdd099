// SPDX-License-Identifier: Apache-2.0
#include "api/grounds_view.h"

#include <algorithm>

namespace claviger {
namespace {

constexpr std::size_t most_suggestions = 10;
constexpr std::size_t most_scopes = 5;

SmallestGrantView grant_view(const AccessSnapshot& access, const GrantSuggestion& grant,
                             Permission missing, const PermissionSet& held) {
    SmallestGrantView view;
    view.role_id = grant.role;
    view.role_name = access.role_name(grant.role);
    const ScopeId id = access.scope_id(grant.scope);
    view.scope_type = {id.type};
    view.scope_id = id.value;
    for (const Permission also : access.permissions_of_role(grant.role)->list()) {
        if (also != missing && !held.contains(also)) {
            view.also_allows.push_back(text_of(also));
        }
    }
    view.also_allows_count = static_cast<std::int64_t>(view.also_allows.size());
    return view;
}

} // namespace

ScopeView scope_view(const AccessSnapshot& access, NodeIndex node, bool with_path) {
    const ScopeId id = access.scope_id(node);
    return {{id.type}, id.value, with_path ? std::optional(access.path(node)) : std::nullopt};
}

std::vector<ScopeView> scope_views(const AccessSnapshot& access, std::span<const NodeIndex> nodes,
                                   bool with_path) {
    std::vector<ScopeView> views;
    for (const NodeIndex node : nodes.first(std::min(nodes.size(), most_scopes))) {
        views.push_back(scope_view(access, node, with_path));
    }
    return views;
}

std::vector<std::string> held_of_the_type(const PermissionSet& held, Permission missing) {
    std::vector<std::string> near;
    for (const Permission other : held.list()) {
        if (other.resource_type == missing.resource_type) {
            near.push_back(text_of(other));
        }
    }
    return near;
}

std::vector<SmallestGrantView> grant_views(const AccessSnapshot& access,
                                           std::span<const GrantSuggestion> grants,
                                           Permission missing, const PermissionSet& held) {
    std::vector<SmallestGrantView> views;
    for (const GrantSuggestion& grant : grants.first(std::min(grants.size(), most_suggestions))) {
        views.push_back(grant_view(access, grant, missing, held));
    }
    return views;
}

} // namespace claviger
