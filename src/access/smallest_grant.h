// SPDX-License-Identifier: Apache-2.0
// The smallest access rules that would give a missing permission: least privilege, worked out.
#pragma once

#include <cstdint>
#include <vector>

#include "access/snapshot.h"

namespace claviger {

struct GrantSuggestion {
    std::int32_t role = 0;
    NodeIndex scope{}; // the lowest at which a rule reaches what was asked for
};

/// Every enabled role that holds `permission` and of which none holds fewer permissions, at the
/// lowest scope that helps at `scope`; those of the product first, superseded ones last. None when
/// no role holds it or `scope` is not in the tree. Limits of keys and tokens are not looked at.
std::vector<GrantSuggestion> smallest_grants(const AccessSnapshot& snapshot, Permission permission,
                                             NodeIndex scope);

} // namespace claviger
