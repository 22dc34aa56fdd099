// SPDX-License-Identifier: Apache-2.0
// Bounds on a caller besides its rules: what its key may do at most, and what its token was
// narrowed to. A limit only takes away. It names roles and scopes by id, so it stays right while
// the tree and the roles change; what it names and is no longer there permits nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/snapshot.h"

namespace claviger {

enum class LimitSource : std::uint8_t { key, token };

/// What both parts name is permitted: a permission of the list or of one of the roles as it is now,
/// at one of the scopes or below it.
struct AccessLimit {
    LimitSource source = LimitSource::key;
    std::optional<PermissionSet> permissions{}; // absent, and no role: every permission
    std::vector<std::int32_t> roles{};
    std::optional<std::vector<ScopeId>> scopes{}; // absent: everywhere

    bool bounds_permissions() const { return permissions || !roles.empty(); }
};

/// All of them bind; none may be null.
using AccessLimits = std::span<const AccessLimit* const>;

bool permits(const AccessSnapshot& snapshot, const AccessLimit& limit, Permission permission);
bool reaches(const AccessSnapshot& snapshot, const AccessLimit& limit, NodeIndex scope);

/// The parts of `scope` and what is below it that all limits reach; several may be below another.
std::vector<NodeIndex> scopes_within(const AccessSnapshot& snapshot, AccessLimits limits,
                                     NodeIndex scope);
/// Removes the permissions that some limit does not permit.
void keep_within(const AccessSnapshot& snapshot, AccessLimits limits, PermissionSet& permissions);

/// What a caller that is bound by `outer` could do besides with a credential that `inner` binds,
/// now or after a role was given more; nothing when it could do no more.
std::optional<std::string> excess_over(const AccessSnapshot& snapshot, const AccessLimit& outer,
                                       const AccessLimit* inner);

} // namespace claviger
