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

enum class DecisionReason : std::uint8_t {
    permitted,         ///< A rule permits it.
    no_rule,           ///< The subject has no rule at all.
    not_permitted,     ///< Some rules reach the scope, none permits this.
    out_of_reach,      ///< The subject holds the permission, but elsewhere in the tree.
    not_held_anywhere, ///< No rule of the subject holds the permission, none reaches the scope.
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

/// The scopes of the rules that hold `permission`, topmost ones only (none below another).
std::vector<NodeIndex> permitted_scopes(const AccessSnapshot& snapshot,
                                        std::span<const Subject> subjects, Permission permission);

/// The union of what the subjects may do at `scope`.
PermissionSet permissions_at(const AccessSnapshot& snapshot, std::span<const Subject> subjects,
                             NodeIndex scope);

/// The union of what the subjects may do anywhere.
PermissionSet permissions_anywhere(const AccessSnapshot& snapshot,
                                   std::span<const Subject> subjects);

} // namespace claviger
