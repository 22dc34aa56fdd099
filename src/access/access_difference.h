// SPDX-License-Identifier: Apache-2.0
// What a holder gains and loses between two snapshots of one tenant that differ in rules and roles
// alone, told once for each part of the tree.
#pragma once

#include <vector>

#include "access/decide.h"

namespace claviger {

/// At this scope and below it, until an entry further down says otherwise.
struct ScopeDifference {
    NodeIndex scope{};
    PermissionSet gained;
    PermissionSet lost;
    /// Gained or lost by an entry above; here it stays as it was.
    PermissionSet unchanged;
};

/// What is in `some` and not in `others`.
PermissionSet without(const PermissionSet& some, const PermissionSet& others);

/// From the top down; empty when the holder may do the same everywhere.
std::vector<ScopeDifference> access_difference(const AccessSnapshot& before,
                                               const AccessSnapshot& after,
                                               const AccessHolder& holder);

} // namespace claviger
