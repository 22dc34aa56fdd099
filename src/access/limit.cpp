// SPDX-License-Identifier: Apache-2.0
#include "access/limit.h"

#include <algorithm>

namespace claviger {
namespace {

/// What a role lets its holders do now: null for an unknown or a disabled one.
const PermissionSet* permissions_in_force(const AccessSnapshot& snapshot, std::int32_t role) {
    const OwnRole* own = snapshot.own_role(role);
    return own != nullptr && !own->row.enabled ? nullptr : snapshot.permissions_of_role(role);
}

PermissionSet permissions_of(const AccessSnapshot& snapshot, const AccessLimit& limit) {
    PermissionSet permissions = limit.permissions.value_or(PermissionSet());
    for (const std::int32_t role : limit.roles) {
        if (const PermissionSet* held = permissions_in_force(snapshot, role)) {
            permissions.add(*held);
        }
    }
    return permissions;
}

/// The parts of `scope` that one limit reaches.
void append_within(const AccessSnapshot& snapshot, const AccessLimit& limit, NodeIndex scope,
                   std::vector<NodeIndex>& parts) {
    if (reaches(snapshot, limit, scope)) {
        parts.push_back(scope);
        return;
    }
    for (const ScopeId& id : *limit.scopes) {
        const auto node = snapshot.find(id);
        if (node && snapshot.is_same_or_below(*node, scope)) {
            parts.push_back(*node);
        }
    }
}

std::optional<std::string> excess_of_permissions(const AccessSnapshot& snapshot,
                                                 const AccessLimit& outer,
                                                 const AccessLimit* inner) {
    if (!outer.bounds_permissions()) {
        return std::nullopt;
    }
    if (inner == nullptr || !inner->bounds_permissions()) {
        return "every permission";
    }
    PermissionSet wanted = inner->permissions.value_or(PermissionSet());
    for (const std::int32_t role : inner->roles) {
        if (std::ranges::find(outer.roles, role) != outer.roles.end()) {
            continue;
        }
        if (snapshot.own_role(role) != nullptr) {
            return "the role " + std::string(snapshot.role_name(role)) +
                   ", which may be given more";
        }
        if (const PermissionSet* held = snapshot.permissions_of_role(role)) {
            wanted.add(*held);
        }
    }
    const PermissionSet most = permissions_of(snapshot, outer);
    for (const Permission permission : wanted.list()) {
        if (!most.contains(permission)) {
            return text_of(permission);
        }
    }
    return std::nullopt;
}

std::optional<std::string> excess_of_scopes(const AccessSnapshot& snapshot,
                                            const AccessLimit& outer, const AccessLimit* inner) {
    if (!outer.scopes) {
        return std::nullopt;
    }
    if (inner == nullptr || !inner->scopes) {
        return "every scope";
    }
    for (const ScopeId& id : *inner->scopes) {
        const auto node = snapshot.find(id);
        if (node && !reaches(snapshot, outer, *node)) {
            return "the scope " + id.value;
        }
    }
    return std::nullopt;
}

} // namespace

bool permits(const AccessSnapshot& snapshot, const AccessLimit& limit, Permission permission) {
    if (!limit.bounds_permissions() ||
        (limit.permissions && limit.permissions->contains(permission))) {
        return true;
    }
    return std::ranges::any_of(limit.roles, [&](std::int32_t role) {
        const PermissionSet* held = permissions_in_force(snapshot, role);
        return held != nullptr && held->contains(permission);
    });
}

bool reaches(const AccessSnapshot& snapshot, const AccessLimit& limit, NodeIndex scope) {
    return !limit.scopes || std::ranges::any_of(*limit.scopes, [&](const ScopeId& id) {
        const auto node = snapshot.find(id);
        return node && snapshot.is_same_or_below(scope, *node);
    });
}

std::vector<NodeIndex> scopes_within(const AccessSnapshot& snapshot, AccessLimits limits,
                                     NodeIndex scope) {
    std::vector<NodeIndex> parts{scope};
    for (const AccessLimit* limit : limits) {
        std::vector<NodeIndex> kept;
        for (const NodeIndex part : parts) {
            append_within(snapshot, *limit, part, kept);
        }
        parts = std::move(kept);
    }
    return parts;
}

void keep_within(const AccessSnapshot& snapshot, AccessLimits limits, PermissionSet& permissions) {
    for (const AccessLimit* limit : limits) {
        if (limit->bounds_permissions()) {
            permissions.keep_only(permissions_of(snapshot, *limit));
        }
    }
}

std::optional<std::string> excess_over(const AccessSnapshot& snapshot, const AccessLimit& outer,
                                       const AccessLimit* inner) {
    auto excess = excess_of_permissions(snapshot, outer, inner);
    return excess ? excess : excess_of_scopes(snapshot, outer, inner);
}

} // namespace claviger
