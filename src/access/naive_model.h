// SPDX-License-Identifier: Apache-2.0
// The decision straight from its definition, slow and obvious. For tests only.
#pragma once

#include <algorithm>
#include <vector>

#include "access/role.h"
#include "model/model.h"

namespace claviger {

struct NaiveModel {
    const std::vector<OrgUnit>& units;
    const std::vector<AccessRule>& rules;

    /// 0 when `scope` is `ancestor`, 1 when it is its child, ...; -1 when it is not below it.
    int distance(ScopeId scope, const ScopeId& ancestor) const {
        for (int steps = 0;; ++steps) {
            if (scope == ancestor) {
                return steps;
            }
            const auto unit = std::ranges::find(units, scope, &OrgUnit::id);
            if (unit == units.end()) {
                return -1;
            }
            scope = unit->parent;
        }
    }

    std::int32_t nearest_rule(const std::vector<Subject>& subjects, Permission permission,
                              const ScopeId& scope) const {
        std::pair<int, std::int32_t> best{1000, 0};
        for (const AccessRule& rule : rules) {
            const bool named = std::ranges::find(subjects, rule.subject) != subjects.end();
            const PredefinedRole* role = find_role(rule.role.value);
            const bool holds = role != nullptr && role->permissions.contains(permission);
            const int steps = distance(scope, rule.scope);
            if (named && holds && steps >= 0) {
                best = std::min(best, std::pair(steps, rule.id.value));
            }
        }
        return best.second;
    }

    bool allows(const std::vector<Subject>& subjects, Permission permission,
                const ScopeId& scope) const {
        return nearest_rule(subjects, permission, scope) != 0;
    }
};

} // namespace claviger
