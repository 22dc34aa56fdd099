// SPDX-License-Identifier: Apache-2.0
#include "access/who_can.h"

#include <algorithm>

namespace claviger {

std::vector<Subject> who_can(const AccessSnapshot& snapshot, Permission permission,
                             NodeIndex scope) {
    std::vector<Subject> subjects;
    snapshot.for_each_rule([&](const RuleInPlace& rule) {
        const PermissionSet* held = snapshot.permissions_of_role(rule.role);
        if (held != nullptr && held->contains(permission) &&
            snapshot.is_same_or_below(scope, rule.scope)) {
            subjects.push_back(rule.subject());
        }
    });
    std::ranges::sort(subjects);
    const auto repeated = std::ranges::unique(subjects);
    subjects.erase(repeated.begin(), repeated.end());
    // A role may be disabled: the decision knows.
    std::erase_if(subjects, [&](const Subject& subject) {
        return !decide(snapshot, {{&subject, 1}, permission, scope}).allowed();
    });
    return subjects;
}

std::vector<NodeIndex> where_can(const AccessSnapshot& snapshot, const AccessHolder& holder,
                                 Permission permission, ScopeType type) {
    const std::vector<NodeIndex> scopes = permitted_scopes(snapshot, holder, permission);
    std::vector<NodeIndex> units;
    snapshot.for_each_unit(type, [&](NodeIndex node, const OrgUnit&) {
        if (std::ranges::any_of(
                scopes, [&](NodeIndex scope) { return snapshot.is_same_or_below(node, scope); })) {
            units.push_back(node);
        }
    });
    return units;
}

} // namespace claviger
