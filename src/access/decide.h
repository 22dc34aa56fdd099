// SPDX-License-Identifier: Apache-2.0
// The one decision function. Permissions are positive only: a subject may do what some rule's role
// permits at the scope or at one of its ancestors. Everything else is denied, with the reason.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/snapshot.h"

namespace claviger {

struct AccessQuery {
    /// The caller itself and the groups it is in. All are read alike.
    std::span<const Subject> subjects;
    Permission permission;
    NodeIndex scope{};
};

enum class Effect : std::uint8_t { deny, allow };

/// A scope that is no live node is reached by no rule.
enum class DecisionReason : std::uint8_t {
    permitted,         ///< A rule reaches the scope and its role holds the permission.
    no_rule,           ///< None of the subjects has a rule.
    not_permitted,     ///< Some rule reaches the scope; no rule of theirs holds the permission.
    out_of_reach,      ///< Some rule of theirs holds the permission; none of those reaches it.
    not_held_anywhere, ///< No rule of theirs holds the permission, and none reaches the scope.
};
std::string_view name_of(DecisionReason reason);

struct Decision {
    Effect effect = Effect::deny;
    DecisionReason reason = DecisionReason::no_rule;
    /// The rule that permits: the one nearest to the scope, the lowest id among equals.
    std::optional<AccessRuleId> rule;
    std::optional<RoleId> role;
    std::optional<NodeIndex> rule_scope;

    bool allowed() const { return effect == Effect::allow; }
};

Decision decide(const AccessSnapshot& snapshot, const AccessQuery& query);

/// The scopes of the rules that hold `permission`, topmost ones only (none below another), in the
/// order of creation.
std::vector<NodeIndex> permitted_scopes(const AccessSnapshot& snapshot,
                                        std::span<const Subject> subjects, Permission permission);

/// The union of what the subjects may do at `scope`.
PermissionSet permissions_at(const AccessSnapshot& snapshot, std::span<const Subject> subjects,
                             NodeIndex scope);

/// The union of what the subjects may do anywhere.
PermissionSet permissions_anywhere(const AccessSnapshot& snapshot,
                                   std::span<const Subject> subjects);

} // namespace claviger
