// SPDX-License-Identifier: Apache-2.0
// Tenants that are drawn, with what the naive model says of them. For tests only.
#pragma once

#include <random>
#include <utility>
#include <vector>

#include "access/naive_model.h"
#include "access/permission_sets.h"
#include "access/test_rows.h"

namespace claviger {

inline const Subject drawn_caller{SubjectType::user, "dev@example.com"};

/// A tree, rules of the caller and roles of the tenant, all of them drawn.
struct DrawnTenant {
    std::mt19937_64& random;
    std::vector<OrgUnit> units{};
    std::vector<AccessRule> rules{};
    std::vector<Role> roles{};

    std::size_t pick(std::size_t count) { return random() % count; }
    ScopeId node() {
        const std::size_t place = pick(units.size() + 1);
        return place == 0 ? tenant_scope(tenant_id) : units[place - 1].id;
    }
    std::int32_t role() {
        const auto predefined = predefined_roles();
        const std::size_t place = pick(predefined.size() + roles.size());
        return place < predefined.size() ? predefined[place].number
                                         : roles[place - predefined.size()].id.value;
    }
    Permission permission() {
        const auto types = resource_types();
        return {types[pick(types.size())].id, static_cast<Action>(pick(action_count))};
    }
    AccessSnapshot draw() {
        for (std::int32_t number = 1; number <= 12; ++number) {
            const ScopeId parent = node();
            if (parent.type != ScopeType::project) {
                const auto type = static_cast<ScopeType>(static_cast<int>(parent.type) + 1);
                units.push_back(make_unit(type, std::to_string(number), parent));
            }
        }
        const auto sets = predefined_permission_sets();
        for (std::int32_t number = 0; number < static_cast<std::int32_t>(pick(6)); ++number) {
            Role role;
            role.id = {tenant_id, first_own_role + number};
            role.name = "own-" + std::to_string(number);
            role.enabled = pick(4) != 0;
            for (std::size_t count = 1 + pick(3); count > 0; --count) {
                role.permission_sets.push_back(sets[pick(sets.size())].id);
            }
            roles.push_back(role);
        }
        for (std::int32_t number = 1; number <= static_cast<std::int32_t>(pick(6)); ++number) {
            rules.push_back(make_rule(number, drawn_caller, role(), node()));
        }
        return AccessSnapshot::build(make_tenant(), units, rules, roles);
    }
    bool is_allowed(Permission what, const ScopeId& at, std::vector<AccessRule> with = {}) const {
        with.insert(with.end(), rules.begin(), rules.end());
        const NaiveModel model{tenant_id, units, with, roles};
        return model.nearest_rule({drawn_caller}, what, at) != 0;
    }
    /// All roles, with how much each holds while it is in force.
    std::vector<std::pair<std::int32_t, std::size_t>> sizes() const {
        const NaiveModel model{tenant_id, units, rules, roles};
        std::vector<std::pair<std::int32_t, std::size_t>> all;
        for (const PredefinedRole& role : predefined_roles()) {
            all.emplace_back(role.number, role.permissions.list().size());
        }
        for (const Role& role : roles) {
            all.emplace_back(role.id.value, model.permissions_of(role.id).list().size());
        }
        return all;
    }
};

} // namespace claviger
