// SPDX-License-Identifier: Apache-2.0
#include "access/explain.h"

#include <algorithm>

namespace claviger {
namespace {

std::vector<NodeIndex> way_down(const AccessSnapshot& snapshot, NodeIndex from, NodeIndex to) {
    std::vector<NodeIndex> way{to};
    while (way.back() != from) {
        way.push_back(*snapshot.parent(way.back()));
    }
    std::ranges::reverse(way);
    return way;
}

std::size_t depth(const AccessSnapshot& snapshot, NodeIndex node) {
    std::size_t depth = 0;
    for (auto above = snapshot.parent(node); above; above = snapshot.parent(*above)) {
        ++depth;
    }
    return depth;
}

} // namespace

std::optional<LimitSource> refusing_limit(const AccessSnapshot& snapshot,
                                          std::span<const AccessLimit* const> limits,
                                          Permission permission, std::optional<NodeIndex> scope) {
    for (const AccessLimit* limit : limits) {
        if (!permits(snapshot, *limit, permission) ||
            (scope && !reaches(snapshot, *limit, *scope))) {
            return limit->source;
        }
    }
    return std::nullopt;
}

std::size_t distance(const AccessSnapshot& snapshot, NodeIndex from, NodeIndex to) {
    NodeIndex common = to;
    while (!snapshot.is_same_or_below(from, common)) {
        common = snapshot.parent(common).value_or(snapshot.root());
    }
    return depth(snapshot, from) + depth(snapshot, to) - 2 * depth(snapshot, common);
}

ExplainedDecision explain(const AccessSnapshot& snapshot, const AccessQuery& query) {
    ExplainedDecision explanation;
    explanation.decision = decide(snapshot, query);
    if (explanation.decision.allowed()) {
        explanation.inheritance = way_down(snapshot, *explanation.decision.rule_scope, query.scope);
        return explanation;
    }
    if (!snapshot.is_same_or_below(query.scope, query.scope)) { // it has been removed
        return explanation;
    }
    const AccessHolder holder{query.subjects, query.limits};
    explanation.held_there = permissions_at(snapshot, holder, query.scope);
    explanation.held_at = permitted_scopes(snapshot, holder, query.permission);
    std::ranges::stable_sort(explanation.held_at, {}, [&](NodeIndex scope) {
        return distance(snapshot, query.scope, scope);
    });
    explanation.limit = refusing_limit(snapshot, query.limits, query.permission, query.scope);
    if (!explanation.limit) {
        explanation.grants = smallest_grants(snapshot, query.permission, query.scope);
    }
    return explanation;
}

} // namespace claviger
