// SPDX-License-Identifier: Apache-2.0
// A decision with its grounds: how the rule that permits comes to reach the scope, or how far the
// subjects are from what was asked and which access rules would be enough.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "access/decide.h"
#include "access/smallest_grant.h"

namespace claviger {

struct ExplainedDecision {
    Decision decision;
    /// Allowed: from the scope of the rule down to the one that was asked for.
    std::vector<NodeIndex> inheritance;

    // Denied:
    /// What the subjects may do at the scope, besides.
    PermissionSet held_there;
    /// Where the permission is held, nearest first.
    std::vector<NodeIndex> held_at;
    /// The first limit that refuses whatever rules say; while there is one, no rule helps.
    std::optional<LimitSource> limit;
    /// Any one of them, given to any of the subjects, turns the decision.
    std::vector<GrantSuggestion> grants;
};

ExplainedDecision explain(const AccessSnapshot& snapshot, const AccessQuery& query);

/// The first limit that refuses the permission at the scope, or at all of them without one,
/// whatever the rules say.
std::optional<LimitSource> refusing_limit(const AccessSnapshot& snapshot,
                                          std::span<const AccessLimit* const> limits,
                                          Permission permission, std::optional<NodeIndex> scope);

/// Steps in the tree from one live node to another.
std::size_t distance(const AccessSnapshot& snapshot, NodeIndex from, NodeIndex to);

} // namespace claviger
