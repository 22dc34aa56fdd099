// SPDX-License-Identifier: Apache-2.0
#include "access/decide.h"

#include <algorithm>
#include <array>

#include "access/snapshot_rows.h"

namespace claviger {

/// Opens a snapshot to this file.
struct Decider {
    static const AccessSnapshot::Content& data_of(const AccessSnapshot& snapshot) {
        return *snapshot.data_;
    }
};

namespace {

/// A scope and its ancestors, the scope first: the tree is at most five levels deep.
struct Lineage {
    std::array<NodeIndex, 8> nodes{};
    std::size_t size = 0;

    /// 0 for the scope itself, 1 for its parent; nothing when the node is not among them.
    std::optional<std::size_t> distance_of(NodeIndex node) const {
        const auto end = nodes.begin() + static_cast<std::ptrdiff_t>(size);
        const auto at = std::find(nodes.begin(), end, node);
        return at == end ? std::nullopt
                         : std::optional(static_cast<std::size_t>(at - nodes.begin()));
    }
};

Lineage lineage_of(const AccessSnapshot& snapshot, NodeIndex scope) {
    Lineage lineage;
    for (std::optional<NodeIndex> at = scope; at && lineage.size < lineage.nodes.size();
         at = snapshot.parent(*at)) {
        lineage.nodes[lineage.size++] = *at;
    }
    return lineage;
}

bool is_live(const AccessSnapshot::Content& data, NodeIndex node) {
    const NodeRow* row = data.node(node);
    return row != nullptr && !row->removed;
}

const PermissionSet* permissions_of(std::int32_t role) {
    const PredefinedRole* found = find_role(role);
    return found == nullptr ? nullptr : &found->permissions;
}

/// What was seen while the rules of the subjects were read.
struct Findings {
    bool any_rule = false;
    bool some_reaches = false;
    bool held_elsewhere = false;
};

DecisionReason reason_of_denial(const Findings& findings) {
    if (!findings.any_rule) {
        return DecisionReason::no_rule;
    }
    if (findings.held_elsewhere) {
        return DecisionReason::out_of_reach;
    }
    return findings.some_reaches ? DecisionReason::not_permitted
                                 : DecisionReason::not_held_anywhere;
}

} // namespace

std::string_view name_of(DecisionReason reason) {
    static constexpr std::array<std::string_view, 5> names{
        "permitted", "no rule", "not permitted here", "permitted elsewhere only",
        "not permitted anywhere"};
    return names[static_cast<std::size_t>(reason)];
}

Decision decide(const AccessSnapshot& snapshot, const AccessQuery& query) {
    const AccessSnapshot::Content& data = Decider::data_of(snapshot);
    const Lineage lineage = lineage_of(snapshot, query.scope);
    Findings findings;
    const GrantRow* best = nullptr;
    std::size_t best_distance = lineage.nodes.size();
    const auto consider = [&](const GrantRow& grant) {
        findings.any_rule = true;
        const PermissionSet* permissions = permissions_of(grant.role);
        const bool holds = permissions != nullptr && permissions->contains(query.permission);
        const auto distance = lineage.distance_of(grant.scope);
        if (!distance) {
            findings.held_elsewhere = findings.held_elsewhere || holds;
            return;
        }
        findings.some_reaches = true;
        const bool nearer = best == nullptr || *distance < best_distance ||
                            (*distance == best_distance && grant.rule < best->rule);
        if (holds && nearer) {
            best = &grant;
            best_distance = *distance;
        }
    };
    if (is_live(data, query.scope)) {
        for (const Subject& subject : query.subjects) {
            data.for_each_grant(subject, consider);
        }
    }
    if (best == nullptr) {
        return {Effect::deny, reason_of_denial(findings), {}, {}, {}};
    }
    return {Effect::allow, DecisionReason::permitted, AccessRuleId{snapshot.tenant(), best->rule},
            RoleId{snapshot.tenant(), best->role}, best->scope};
}

std::vector<NodeIndex> permitted_scopes(const AccessSnapshot& snapshot,
                                        std::span<const Subject> subjects, Permission permission) {
    const AccessSnapshot::Content& data = Decider::data_of(snapshot);
    std::vector<NodeIndex> scopes;
    for (const Subject& subject : subjects) {
        data.for_each_grant(subject, [&](const GrantRow& grant) {
            const PermissionSet* permissions = permissions_of(grant.role);
            if (permissions != nullptr && permissions->contains(permission) &&
                is_live(data, grant.scope)) {
                scopes.push_back(grant.scope);
            }
        });
    }
    std::ranges::sort(scopes);
    const auto repeated = std::ranges::unique(scopes);
    scopes.erase(repeated.begin(), repeated.end());
    std::vector<NodeIndex> topmost;
    for (const NodeIndex scope : scopes) {
        const bool covered = std::ranges::any_of(scopes, [&](NodeIndex other) {
            return other != scope && snapshot.is_same_or_below(scope, other);
        });
        if (!covered) {
            topmost.push_back(scope);
        }
    }
    return topmost;
}

PermissionSet permissions_at(const AccessSnapshot& snapshot, std::span<const Subject> subjects,
                             NodeIndex scope) {
    const AccessSnapshot::Content& data = Decider::data_of(snapshot);
    const Lineage lineage = lineage_of(snapshot, scope);
    PermissionSet held;
    if (!is_live(data, scope)) {
        return held;
    }
    for (const Subject& subject : subjects) {
        data.for_each_grant(subject, [&](const GrantRow& grant) {
            const PermissionSet* permissions = permissions_of(grant.role);
            if (permissions != nullptr && lineage.distance_of(grant.scope)) {
                held.add(*permissions);
            }
        });
    }
    return held;
}

PermissionSet permissions_anywhere(const AccessSnapshot& snapshot,
                                   std::span<const Subject> subjects) {
    const AccessSnapshot::Content& data = Decider::data_of(snapshot);
    PermissionSet held;
    for (const Subject& subject : subjects) {
        data.for_each_grant(subject, [&](const GrantRow& grant) {
            const PermissionSet* permissions = permissions_of(grant.role);
            if (permissions != nullptr && is_live(data, grant.scope)) {
                held.add(*permissions);
            }
        });
    }
    return held;
}

} // namespace claviger
