// SPDX-License-Identifier: Apache-2.0
#include "access/smallest_grant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "access/drawn_tenant.h"

namespace claviger {
namespace {

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
            EXPECT_TRUE(
                tenant.is_allowed(what, at, {make_rule(99, drawn_caller, one.role, scope)}));
            for (const OrgUnit& unit : tenant.units) { // none lower is enough
                const NaiveModel model{tenant_id, tenant.units, tenant.rules, tenant.roles};
                const bool is_lower = unit.id != scope && model.distance(unit.id, scope) > 0;
                EXPECT_FALSE(
                    is_lower &&
                    tenant.is_allowed(what, at, {make_rule(99, drawn_caller, one.role, unit.id)}));
            }
            suggested.push_back(one.role);
            own += one.role >= first_own_role ? 1U : 0U;
        }
        std::ranges::sort(suggested);
        for (const auto& [role, size] : sizes) {
            const bool is_enough =
                tenant.is_allowed(what, at, {make_rule(99, drawn_caller, role, at)});
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
