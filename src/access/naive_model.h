// SPDX-License-Identifier: Apache-2.0
// The decision straight from its definition, slow and obvious. For tests only.
#pragma once

#include <algorithm>
#include <set>
#include <vector>

#include "access/decide.h"
#include "access/permission_sets.h"

namespace claviger {

struct NaiveModel {
    TenantId tenant;
    const std::vector<OrgUnit>& units;    // removed ones may stand among them
    const std::vector<AccessRule>& rules; // as well
    std::vector<Role> roles = {};         // as well, and disabled ones
    std::vector<AccessLimit> limits = {};

    /// 0 when `scope` is `ancestor`, 1 when it is its child, ...; -1 when it is not below it.
    int distance(ScopeId scope, const ScopeId& ancestor) const {
        for (int steps = 0;; ++steps) {
            const auto unit = std::ranges::find(units, scope, &OrgUnit::id);
            const bool is_there = unit != units.end() && !unit->deleted_at;
            if (scope == ancestor && (is_there || scope == tenant_scope(tenant))) {
                return steps;
            }
            if (!is_there) {
                return -1;
            }
            scope = unit->parent;
        }
    }
    bool is_live(const ScopeId& scope) const { return distance(scope, tenant_scope(tenant)) >= 0; }
    bool reaches(const AccessRule& rule, const ScopeId& scope) const {
        return is_live(scope) && distance(scope, rule.scope) >= 0;
    }
    /// What the role of a rule lets its holders do now.
    PermissionSet permissions_of(const AccessRule& rule) const { return permissions_of(rule.role); }
    PermissionSet permissions_of(const RoleId& id) const {
        PermissionSet held;
        for (const PredefinedRole& role : predefined_roles()) {
            if (role.number == id.value) {
                held.add(role.permissions);
            }
        }
        for (const Role& role : roles) {
            if (role.id != id || role.deleted_at || !role.enabled) {
                continue;
            }
            for (const PredefinedPermissionSet& set : predefined_permission_sets()) {
                if (std::ranges::find(role.permission_sets, set.id) != role.permission_sets.end()) {
                    held.add(set.permissions);
                }
            }
        }
        return held;
    }
    bool holds(const AccessRule& rule, Permission permission) const {
        return permissions_of(rule).contains(permission);
    }
    bool lets_through(const AccessLimit& limit, Permission permission, const ScopeId& scope) const {
        const bool is_named = (limit.permissions && limit.permissions->contains(permission)) ||
                              std::ranges::any_of(limit.roles, [&](std::int32_t role) {
                                  return permissions_of(RoleId{tenant, role}).contains(permission);
                              });
        const bool is_reached =
            !limit.scopes || std::ranges::any_of(*limit.scopes, [&](const ScopeId& at) {
                return is_live(at) && distance(scope, at) >= 0;
            });
        const bool names_any = !limit.permissions && limit.roles.empty();
        return (names_any || is_named) && is_reached;
    }
    std::vector<AccessRule> rules_of(const std::vector<Subject>& subjects) const {
        std::vector<AccessRule> found;
        std::ranges::copy_if(rules, std::back_inserter(found), [&](const AccessRule& rule) {
            return !rule.deleted_at && is_live(rule.scope) &&
                   std::ranges::find(subjects, rule.subject) != subjects.end();
        });
        return found;
    }

    /// The number of the rule that permits, or 0.
    std::int32_t nearest_rule(const std::vector<Subject>& subjects, Permission permission,
                              const ScopeId& scope) const {
        std::pair<int, std::int32_t> best{1000, 0};
        for (const AccessRule& rule : rules_of(subjects)) {
            if (holds(rule, permission) && reaches(rule, scope)) {
                best = std::min(best, std::pair(distance(scope, rule.scope), rule.id.value));
            }
        }
        return best.second;
    }
    DecisionReason reason(const std::vector<Subject>& subjects, Permission permission,
                          const ScopeId& scope) const {
        const auto own = rules_of(subjects);
        const auto here = [&](const AccessRule& rule) { return reaches(rule, scope); };
        const auto holding = [&](const AccessRule& rule) { return holds(rule, permission); };
        if (nearest_rule(subjects, permission, scope) != 0) {
            for (const AccessLimit& limit : limits) {
                if (!lets_through(limit, permission, scope)) {
                    return limit.source == LimitSource::key ? DecisionReason::beyond_key
                                                            : DecisionReason::beyond_token;
                }
            }
            return DecisionReason::permitted;
        }
        if (own.empty()) {
            return DecisionReason::no_rule;
        }
        if (std::ranges::any_of(own, holding)) {
            return DecisionReason::out_of_reach;
        }
        return std::ranges::any_of(own, here) ? DecisionReason::not_permitted
                                              : DecisionReason::not_held_anywhere;
    }
    PermissionSet permissions_at(const std::vector<Subject>& subjects, const ScopeId& scope) const {
        PermissionSet held;
        for (const AccessRule& rule : rules_of(subjects)) {
            if (!reaches(rule, scope)) {
                continue;
            }
            for (const Permission permission : permissions_of(rule).list()) {
                if (std::ranges::all_of(limits, [&](const AccessLimit& limit) {
                        return lets_through(limit, permission, scope);
                    })) {
                    held.add(permission);
                }
            }
        }
        return held;
    }
    /// The scopes from which on something may be permitted: those of a rule or of a limit.
    std::set<ScopeId> beginnings(const std::vector<Subject>& subjects,
                                 std::optional<Permission> permission = {}) const {
        std::set<ScopeId> scopes;
        for (const AccessRule& rule : rules_of(subjects)) {
            if (!permission || holds(rule, *permission)) {
                scopes.insert(rule.scope);
            }
        }
        for (const AccessLimit& limit : limits) {
            for (const ScopeId& scope : limit.scopes.value_or(std::vector<ScopeId>())) {
                if (is_live(scope)) {
                    scopes.insert(scope);
                }
            }
        }
        return scopes;
    }
    PermissionSet permissions_anywhere(const std::vector<Subject>& subjects) const {
        PermissionSet held;
        if (limits.empty()) {
            for (const AccessRule& rule : rules_of(subjects)) {
                held.add(permissions_of(rule));
            }
            return held;
        }
        for (const ScopeId& scope : beginnings(subjects)) {
            held.add(permissions_at(subjects, scope));
        }
        return held;
    }
    std::set<ScopeId> permitted_scopes(const std::vector<Subject>& subjects,
                                       Permission permission) const {
        std::set<ScopeId> all;
        for (const ScopeId& scope : beginnings(subjects, permission)) {
            if (reason(subjects, permission, scope) == DecisionReason::permitted) {
                all.insert(scope);
            }
        }
        std::set<ScopeId> topmost;
        for (const ScopeId& scope : all) {
            if (std::ranges::none_of(all, [&](const ScopeId& other) {
                    return other != scope && distance(scope, other) >= 0;
                })) {
                topmost.insert(scope);
            }
        }
        return topmost;
    }
};

} // namespace claviger
