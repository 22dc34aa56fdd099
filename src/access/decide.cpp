// SPDX-License-Identifier: Apache-2.0
#include "access/decide.h"

#include <algorithm>
#include <array>

#include "access/snapshot_rows.h"

namespace claviger {

/// Opens a snapshot to this file.
struct Decider {
    static const AccessSnapshot::Content& content_of(const AccessSnapshot& snapshot) {
        return *snapshot.content_;
    }
};

namespace {

/// A scope and its ancestors, the scope first: a type of the tree stands in it once. Empty for a
/// scope that is not, or no longer, in the tree, so that no rule reaches it.
struct Lineage {
    std::array<NodeIndex, 5> nodes{};
    std::size_t size = 0;

    /// 0 for the scope itself, 1 for its parent; nothing when the node is not among them.
    std::optional<std::size_t> distance_of(NodeIndex node) const {
        for (std::size_t distance = 0; distance < size; ++distance) {
            if (nodes[distance] == node) {
                return distance;
            }
        }
        return std::nullopt;
    }
};

Lineage lineage_of(const NodeTree& tree, NodeIndex scope) {
    Lineage lineage;
    if (!tree.is_live(scope)) {
        return lineage;
    }
    for (NodeIndex at = scope; at != NodeTree::root; at = tree.row(at)->parent) {
        lineage.nodes[lineage.size++] = at;
    }
    lineage.nodes[lineage.size++] = NodeTree::root;
    return lineage;
}

/// An unknown or disabled role holds nothing.
bool role_holds(const AccessSnapshot::Content& content, std::int32_t role, Permission permission) {
    const PermissionSet* held = content.permissions_in_force(role);
    return held != nullptr && held->contains(permission);
}

void add_permissions(const AccessSnapshot::Content& content, PermissionSet& held,
                     std::int32_t role) {
    if (const PermissionSet* more = content.permissions_in_force(role)) {
        held.add(*more);
    }
}

/// What was seen while the rules of the subjects were read.
struct Findings {
    bool any_rule = false;
    bool some_reaches = false;
    bool is_held = false; // by some rule, wherever it stands
};

DecisionReason reason_of_denial(const Findings& findings) {
    if (!findings.any_rule) {
        return DecisionReason::no_rule;
    }
    if (findings.is_held) {
        return DecisionReason::out_of_reach;
    }
    return findings.some_reaches ? DecisionReason::not_permitted
                                 : DecisionReason::not_held_anywhere;
}

/// The first limit that does not let through what a rule permits; null when all do.
const AccessLimit* find_limit_passed(const AccessSnapshot& snapshot, const AccessQuery& query) {
    const auto passed = std::ranges::find_if(query.limits, [&](const AccessLimit* limit) {
        return !permits(snapshot, *limit, query.permission) ||
               !reaches(snapshot, *limit, query.scope);
    });
    return passed == query.limits.end() ? nullptr : *passed;
}

bool all_reach(const AccessSnapshot& snapshot, AccessLimits limits, NodeIndex scope) {
    return std::ranges::all_of(
        limits, [&](const AccessLimit* limit) { return reaches(snapshot, *limit, scope); });
}

} // namespace

DecisionReason reason_of(LimitSource source) {
    return source == LimitSource::key ? DecisionReason::beyond_key : DecisionReason::beyond_token;
}

std::string_view name_of(DecisionReason reason) {
    static constexpr std::array<std::string_view, 7> names{"permitted",
                                                           "no rule",
                                                           "not permitted here",
                                                           "permitted elsewhere only",
                                                           "not permitted anywhere",
                                                           "beyond the key's ceiling",
                                                           "beyond what the token was narrowed to"};
    return names[static_cast<std::size_t>(reason)];
}

Decision decide(const AccessSnapshot& snapshot, const AccessQuery& query) {
    const AccessSnapshot::Content& content = Decider::content_of(snapshot);
    Lineage lineage;
    Findings findings;
    const RuleRow* best = nullptr;
    std::size_t best_distance = 0;
    const auto consider = [&](const RuleRow& rule) {
        findings.any_rule = true;
        const auto distance = lineage.distance_of(rule.scope);
        findings.some_reaches = findings.some_reaches || distance;
        const bool nearer =
            distance && (best == nullptr || *distance < best_distance ||
                         (*distance == best_distance && rule.number < best->number));
        const bool matters = nearer || !findings.is_held;
        if (!matters || !role_holds(content, rule.role, query.permission)) {
            return;
        }
        findings.is_held = true;
        if (nearer) {
            best = &rule;
            best_distance = *distance;
        }
    };
    for (const Subject& subject : query.subjects) {
        SubjectQuery named(subject);
        content.rules.prefetch(named.hash()); // comes while the tree is read
        if (lineage.size == 0) {
            lineage = lineage_of(content.tree, query.scope);
        }
        content.for_each_rule_of(named, consider);
    }
    if (best == nullptr) {
        return {Effect::deny, reason_of_denial(findings), {}, {}, {}};
    }
    if (const AccessLimit* passed = find_limit_passed(snapshot, query)) {
        return {Effect::deny, reason_of(passed->source), {}, {}, {}};
    }
    return {Effect::allow, DecisionReason::permitted, AccessRuleId{snapshot.tenant(), best->number},
            RoleId{snapshot.tenant(), best->role}, best->scope};
}

std::vector<NodeIndex> permitted_scopes(const AccessSnapshot& snapshot, const AccessHolder& holder,
                                        Permission permission) {
    const AccessSnapshot::Content& content = Decider::content_of(snapshot);
    std::vector<NodeIndex> scopes;
    const bool is_permitted = std::ranges::all_of(holder.limits, [&](const AccessLimit* limit) {
        return permits(snapshot, *limit, permission);
    });
    const auto consider = [&](const RuleRow& rule) {
        if (!role_holds(content, rule.role, permission)) {
            return;
        }
        if (holder.limits.empty()) {
            scopes.push_back(rule.scope);
        } else {
            std::ranges::copy(scopes_within(snapshot, holder.limits, rule.scope),
                              std::back_inserter(scopes));
        }
    };
    for (const Subject& subject : is_permitted ? holder.subjects : std::span<const Subject>()) {
        content.for_each_rule_of(subject, consider);
    }
    std::ranges::sort(scopes);
    const auto repeated = std::ranges::unique(scopes);
    scopes.erase(repeated.begin(), repeated.end());
    std::vector<NodeIndex> topmost;
    for (const NodeIndex scope : scopes) {
        const Lineage lineage = lineage_of(content.tree, scope);
        const std::span above = std::span(lineage.nodes).first(lineage.size).subspan(1);
        const bool covered = std::ranges::any_of(
            above, [&](NodeIndex node) { return std::ranges::binary_search(scopes, node); });
        if (!covered) {
            topmost.push_back(scope);
        }
    }
    return topmost;
}

PermissionSet permissions_at(const AccessSnapshot& snapshot, const AccessHolder& holder,
                             NodeIndex scope) {
    const AccessSnapshot::Content& content = Decider::content_of(snapshot);
    PermissionSet held;
    if (!all_reach(snapshot, holder.limits, scope)) {
        return held;
    }
    const Lineage lineage = lineage_of(content.tree, scope);
    for (const Subject& subject : holder.subjects) {
        content.for_each_rule_of(subject, [&](const RuleRow& rule) {
            if (lineage.distance_of(rule.scope)) {
                add_permissions(content, held, rule.role);
            }
        });
    }
    keep_within(snapshot, holder.limits, held);
    return held;
}

PermissionSet permissions_anywhere(const AccessSnapshot& snapshot, const AccessHolder& holder) {
    const AccessSnapshot::Content& content = Decider::content_of(snapshot);
    PermissionSet held;
    for (const Subject& subject : holder.subjects) {
        content.for_each_rule_of(subject, [&](const RuleRow& rule) {
            const bool is_within = holder.limits.empty() ||
                                   !scopes_within(snapshot, holder.limits, rule.scope).empty();
            if (is_within) {
                add_permissions(content, held, rule.role);
            }
        });
    }
    keep_within(snapshot, holder.limits, held);
    return held;
}

} // namespace claviger
