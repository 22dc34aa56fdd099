// SPDX-License-Identifier: Apache-2.0
#include "access/smallest_grant.h"

#include <algorithm>

namespace claviger {
namespace {

/// The smallest of the roles that were looked at.
class Smallest {
public:
    explicit Smallest(Permission permission) : permission_(permission) {}

    void look_at(std::int32_t role, const PermissionSet& permissions) {
        if (!permissions.contains(permission_)) {
            return;
        }
        const std::size_t size = permissions.size();
        if (!roles_.empty() && size > size_) {
            return;
        }
        if (size < size_) {
            roles_.clear();
        }
        size_ = size;
        roles_.push_back(role);
    }
    const std::vector<std::int32_t>& roles() const { return roles_; }

private:
    Permission permission_;
    std::size_t size_ = SIZE_MAX;
    std::vector<std::int32_t> roles_;
};

bool is_superseded(std::int32_t role) {
    const PredefinedRole* found = find_role(role);
    return found != nullptr && found->is_legacy;
}

} // namespace

std::vector<GrantSuggestion> smallest_grants(const AccessSnapshot& snapshot, Permission permission,
                                             NodeIndex scope) {
    // A rule may stand at every node, with every role, and reaches the node and all below it: none
    // that stands lower than `scope` reaches it, and one that stands higher allows more.
    if (!snapshot.is_same_or_below(scope, scope)) {
        return {};
    }
    Smallest smallest(permission);
    for (const PredefinedRole& role : predefined_roles()) {
        smallest.look_at(role.number, role.permissions);
    }
    snapshot.for_each_own_role([&](const OwnRole& role) {
        if (role.row.enabled) {
            smallest.look_at(role.row.id.value, role.permissions);
        }
    });
    std::vector<GrantSuggestion> suggestions;
    for (const std::int32_t role : smallest.roles()) {
        suggestions.push_back({role, scope});
    }
    std::ranges::stable_partition(suggestions, [](const GrantSuggestion& suggestion) {
        return !is_superseded(suggestion.role);
    });
    return suggestions;
}

} // namespace claviger
