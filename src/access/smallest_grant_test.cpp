// SPDX-License-Identifier: Apache-2.0
#include "access/smallest_grant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "access/naive_model.h"
#include "access/permission_sets.h"
#include "access/test_rows.h"

namespace claviger {
namespace {

const Subject caller{SubjectType::user, "dev@example.com"};

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
            rules.push_back(make_rule(number, caller, role(), node()));
        }
        return AccessSnapshot::build(make_tenant(), units, rules, roles);
    }
    bool is_allowed(Permission what, const ScopeId& at, std::vector<AccessRule> with = {}) const {
        with.insert(with.end(), rules.begin(), rules.end());
        const NaiveModel model{tenant_id, units, with, roles};
        return model.nearest_rule({caller}, what, at) != 0;
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

TEST(SmallestGrants, AreEnoughAndNothingSmallerIs) {
    std::mt19937_64 random(20'261'127);
    std::size_t helped = 0;
    std::size_t ties = 0;
    std::size_t own = 0;
    for (int round = 0; round < 400; ++round) {
        DrawnTenant tenant{random};
        const AccessSnapshot snapshot = tenant.draw();
        const ScopeId at = tenant.node();
        const Permission what = tenant.permission();
        if (tenant.is_allowed(what, at)) {
            continue;
        }
        const auto found = smallest_grants(snapshot, what, *snapshot.find(at));
        std::vector<std::int32_t> suggested;
        const auto sizes = tenant.sizes();
        const auto size_of = [&](std::int32_t role) {
            return std::ranges::find(sizes, role, &std::pair<std::int32_t, std::size_t>::first)
                ->second;
        };
        for (const GrantSuggestion& one : found) {
            const ScopeId scope = snapshot.scope_id(one.scope);
            EXPECT_TRUE(tenant.is_allowed(what, at, {make_rule(99, caller, one.role, scope)}));
            for (const OrgUnit& unit : tenant.units) { // none lower is enough
                const NaiveModel model{tenant_id, tenant.units, tenant.rules, tenant.roles};
                const bool is_lower = unit.id != scope && model.distance(unit.id, scope) > 0;
                EXPECT_FALSE(is_lower && tenant.is_allowed(
                                             what, at, {make_rule(99, caller, one.role, unit.id)}));
            }
            suggested.push_back(one.role);
            own += one.role >= first_own_role ? 1U : 0U;
        }
        std::ranges::sort(suggested);
        for (const auto& [role, size] : sizes) {
            const bool is_enough = tenant.is_allowed(what, at, {make_rule(99, caller, role, at)});
            const bool is_suggested = std::ranges::binary_search(suggested, role);
            EXPECT_TRUE(is_enough || !is_suggested);
            if (is_enough && !is_suggested) {
                ASSERT_FALSE(suggested.empty()) << "role " << role << " would help";
                EXPECT_GT(size, size_of(suggested.front())) << "role " << role;
            }
            if (is_suggested) {
                EXPECT_EQ(size, size_of(suggested.front())) << "all are equally small";
            }
        }
        helped += suggested.empty() ? 0U : 1U;
        ties += suggested.size() > 1 ? 1U : 0U;
    }
    EXPECT_GT(helped, 50U); // else the comparison says nothing
    EXPECT_GT(ties, 2U);
    EXPECT_GT(own, 5U);
}

TEST(SmallestGrants, AreNoneAtWhatIsGone) {
    const OrgUnit cluster = make_unit(ScopeType::cluster, "c", tenant_scope(tenant_id));
    const AccessSnapshot before = AccessSnapshot::build(make_tenant(), {cluster}, {});
    const NodeIndex node = *before.find(cluster.id);
    const Permission what = permission("cluster", Action::read);
    EXPECT_FALSE(smallest_grants(before, what, node).empty());
    EXPECT_TRUE(smallest_grants(before.with(removed(cluster)), what, node).empty());
}

TEST(SmallestGrants, NameSupersededRolesLast) {
    const AccessSnapshot snapshot(make_tenant());
    for (const ResourceTypeEntry& type : resource_types()) {
        bool was_superseded = false;
        for (const auto& one :
             smallest_grants(snapshot, {type.id, Action::read}, snapshot.root())) {
            const bool is_superseded = find_role(one.role)->is_legacy;
            EXPECT_TRUE(is_superseded || !was_superseded) << type.name;
            was_superseded = is_superseded;
        }
    }
}

TEST(SmallestGrants, AreFoundAmongManyRoles) {
    std::vector<Role> roles;
    const auto sets = predefined_permission_sets();
    for (std::int32_t number = 0; number < 1'000; ++number) {
        Role role;
        role.id = {tenant_id, first_own_role + number};
        role.permission_sets = {sets[static_cast<std::size_t>(number) % sets.size()].id};
        roles.push_back(role);
    }
    const AccessSnapshot snapshot = AccessSnapshot::build(make_tenant(), {}, {}, roles);
    const Permission what = permission("project", Action::read);
    const auto began = std::chrono::steady_clock::now();
    constexpr int rounds = 100;
    std::size_t found = 0;
    for (int i = 0; i < rounds; ++i) {
        found += smallest_grants(snapshot, what, snapshot.root()).size();
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    RecordProperty("microseconds", std::to_string(took.count() / rounds));
    EXPECT_GT(found, 0U);
    EXPECT_LT(took.count() / rounds, 5'000) << "far below in a release build";
}

} // namespace
} // namespace claviger
