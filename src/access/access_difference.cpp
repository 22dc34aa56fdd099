// SPDX-License-Identifier: Apache-2.0
#include "access/access_difference.h"

#include <algorithm>
#include <map>
#include <set>

namespace claviger {
namespace {

/// Where the holder's permissions can differ from those of the node above.
class Edges {
public:
    explicit Edges(const AccessSnapshot& tree) : tree_(tree) {}

    void add_rules(const AccessSnapshot& snapshot, const AccessHolder& holder) {
        for (const Subject& subject : holder.subjects) {
            snapshot.for_each_rule_in_place_of(
                subject, [&](const RuleInPlace& rule) { nodes_.insert(rule.scope); });
        }
    }
    void add_limits(const AccessHolder& holder) {
        for (const AccessLimit* limit : holder.limits) {
            for (const ScopeId& id : limit->scopes.value_or(std::vector<ScopeId>())) {
                if (const auto node = tree_.find(id)) {
                    nodes_.insert(*node);
                }
            }
        }
    }
    /// What is above comes before what is below.
    std::vector<NodeIndex> from_the_top() const {
        std::vector<std::pair<std::size_t, NodeIndex>> by_depth;
        by_depth.reserve(nodes_.size());
        for (const NodeIndex node : nodes_) {
            by_depth.emplace_back(depth(node), node);
        }
        std::ranges::sort(by_depth);
        std::vector<NodeIndex> nodes;
        nodes.reserve(by_depth.size());
        for (const auto& [steps, node] : by_depth) {
            nodes.push_back(node);
        }
        return nodes;
    }

private:
    std::size_t depth(NodeIndex node) const {
        std::size_t steps = 0;
        for (auto at = tree_.parent(node); at; at = tree_.parent(*at)) {
            ++steps;
        }
        return steps;
    }

    const AccessSnapshot& tree_;
    std::set<NodeIndex> nodes_;
};

struct Change {
    PermissionSet gained, lost;
};

PermissionSet joined(PermissionSet some, const PermissionSet& others) {
    some.add(others);
    return some;
}

} // namespace

PermissionSet without(const PermissionSet& some, const PermissionSet& others) {
    PermissionSet left;
    for (const Permission permission : some.list()) {
        if (!others.contains(permission)) {
            left.add(permission);
        }
    }
    return left;
}

std::vector<ScopeDifference> access_difference(const AccessSnapshot& before,
                                               const AccessSnapshot& after,
                                               const AccessHolder& holder) {
    Edges edges(after);
    edges.add_rules(before, holder);
    edges.add_rules(after, holder);
    edges.add_limits(holder);
    std::map<NodeIndex, Change> changes; // in force at the node
    std::vector<ScopeDifference> told;
    for (const NodeIndex node : edges.from_the_top()) {
        const PermissionSet was = permissions_at(before, holder, node);
        const PermissionSet will_be = permissions_at(after, holder, node);
        const Change here{without(will_be, was), without(was, will_be)};
        Change above;
        for (auto at = after.parent(node); at; at = after.parent(*at)) {
            if (const auto found = changes.find(*at); found != changes.end()) {
                above = found->second;
                break;
            }
        }
        changes.emplace(node, here);
        ScopeDifference difference{
            node, without(here.gained, above.gained), without(here.lost, above.lost),
            joined(without(above.gained, here.gained), without(above.lost, here.lost))};
        if (!difference.gained.empty() || !difference.lost.empty() ||
            !difference.unchanged.empty()) {
            told.push_back(std::move(difference));
        }
    }
    return told;
}

} // namespace claviger
