// SPDX-License-Identifier: Apache-2.0
// The one decision function. Permissions are positive only: a subject may do what some rule's role
// permits at the scope or at one of its ancestors, within the limits of its key and of its token.
// Everything else is denied, with the reason.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/limit.h"
#include "access/snapshot.h"

namespace claviger {

struct AccessQuery {
    /// The caller itself and the groups it is in. All are read alike.
    std::span<const Subject> subjects;
    Permission permission;
    NodeIndex scope{};
    AccessLimits limits{};
};

/// Whose rights a question about many scopes or permissions is about.
struct AccessHolder {
    std::span<const Subject> subjects;
    AccessLimits limits{};
};

enum class Effect : std::uint8_t { deny, allow };

/// A scope that is no live node is reached by no rule.
enum class DecisionReason : std::uint8_t {
    permitted,         ///< A rule reaches the scope and its role holds the permission.
    no_rule,           ///< None of the subjects has a rule.
    not_permitted,     ///< Some rule reaches the scope; no rule of theirs holds the permission.
    out_of_reach,      ///< Some rule of theirs holds the permission; none of those reaches it.
    not_held_anywhere, ///< No rule of theirs holds the permission, and none reaches the scope.
    beyond_key,        ///< Rules permit it; the limit of the key does not.
    beyond_token,      ///< Rules and key permit it; what the token was narrowed to does not.
};
std::string_view name_of(DecisionReason reason);
DecisionReason reason_of(LimitSource source);

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

/// The scopes at which `permission` is held by a rule and within the limits, topmost ones only
/// (none below another), in the order of creation.
std::vector<NodeIndex> permitted_scopes(const AccessSnapshot& snapshot, const AccessHolder& holder,
                                        Permission permission);

/// The union of what the holder may do at `scope`.
PermissionSet permissions_at(const AccessSnapshot& snapshot, const AccessHolder& holder,
                             NodeIndex scope);

/// The union of what the holder may do anywhere.
PermissionSet permissions_anywhere(const AccessSnapshot& snapshot, const AccessHolder& holder);

} // namespace claviger
