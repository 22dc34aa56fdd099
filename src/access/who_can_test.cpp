// SPDX-License-Identifier: Apache-2.0
#include "access/who_can.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "access/permission_sets.h"
#include "access/test_rows.h"

namespace claviger {
namespace {

constexpr std::size_t subject_count = 9;

Subject subject(std::size_t number) {
    const auto type = static_cast<SubjectType>(number % 3);
    Uuid id;
    id.bytes[15] = static_cast<std::uint8_t>(number);
    return {type, type == SubjectType::service_account ? id.text() : "s" + std::to_string(number)};
}

/// A tree of some units and rules, all of them drawn.
struct DrawnTree {
    std::mt19937_64& random;
    std::vector<OrgUnit> units{};
    std::vector<AccessRule> rules{};

    std::size_t pick(std::size_t count) { return random() % count; }
    ScopeId node() {
        const std::size_t place = pick(units.size() + 1);
        return place == 0 ? tenant_scope(tenant_id) : units[place - 1].id;
    }
    AccessSnapshot draw() {
        for (std::int32_t number = 1; number <= 12; ++number) {
            const ScopeId parent = node();
            if (parent.type != ScopeType::project) {
                const auto type = static_cast<ScopeType>(static_cast<int>(parent.type) + 1);
                units.push_back(make_unit(type, std::to_string(number), parent));
            }
        }
        for (std::int32_t number = 1; number <= 15; ++number) {
            const auto roles = predefined_roles();
            rules.push_back(make_rule(number, subject(pick(subject_count)),
                                      roles[pick(roles.size())].number, node()));
        }
        return AccessSnapshot::build(make_tenant(), units, rules);
    }
};

bool may(const AccessSnapshot& snapshot, const Subject& one, Permission what, NodeIndex node) {
    return decide(snapshot, {{&one, 1}, what, node}).allowed();
}

TEST(WhoCan, NamesThoseWhomADecisionAllows) {
    std::mt19937_64 random(42);
    std::size_t named = 0;
    for (int round = 0; round < 200; ++round) {
        DrawnTree tree{random};
        const AccessSnapshot snapshot = tree.draw();
        const NodeIndex node = *snapshot.find(tree.node());
        const Permission what = permission("project", static_cast<Action>(tree.pick(4)));
        std::vector<Subject> expected;
        for (std::size_t number = 0; number < subject_count; ++number) {
            if (may(snapshot, subject(number), what, node)) {
                expected.push_back(subject(number));
            }
        }
        std::ranges::sort(expected);
        EXPECT_EQ(who_can(snapshot, what, node), expected);
        named += expected.size();
    }
    EXPECT_GT(named, 100u); // else the comparison says nothing
}

TEST(WhereCan, NamesTheUnitsAtWhichADecisionAllows) {
    std::mt19937_64 random(43);
    std::size_t named = 0;
    for (int round = 0; round < 200; ++round) {
        DrawnTree tree{random};
        const AccessSnapshot snapshot = tree.draw();
        const Subject one = subject(tree.pick(subject_count));
        const Permission what = permission("project", static_cast<Action>(tree.pick(4)));
        for (const ScopeType type :
             {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
            std::vector<NodeIndex> expected;
            snapshot.for_each_unit(type, [&](NodeIndex node, const OrgUnit&) {
                if (may(snapshot, one, what, node)) {
                    expected.push_back(node);
                }
            });
            EXPECT_EQ(where_can(snapshot, {{&one, 1}}, what, type), expected);
            named += expected.size();
        }
    }
    EXPECT_GT(named, 100u);
}

TEST(WhoCan, LeavesOutWhoHoldsADisabledRole) {
    Role role;
    role.id = {tenant_id, first_own_role};
    role.name = "own";
    const auto sets = predefined_permission_sets();
    const auto views_projects =
        std::ranges::find(sets, "View project", &PredefinedPermissionSet::name);
    ASSERT_NE(views_projects, sets.end());
    role.permission_sets = {views_projects->id};
    const AccessRule rule = make_rule(1, subject(0), first_own_role, tenant_scope(tenant_id));
    const Permission reads = permission("project", Action::read);
    const auto found = [&](bool enabled) {
        role.enabled = enabled;
        const auto snapshot = AccessSnapshot::build(make_tenant(), {}, {rule}, {role});
        return who_can(snapshot, reads, snapshot.root()).size();
    };
    EXPECT_EQ(found(true), 1u);
    EXPECT_EQ(found(false), 0u);
}

} // namespace
} // namespace claviger
