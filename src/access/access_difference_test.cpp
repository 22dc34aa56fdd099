// SPDX-License-Identifier: Apache-2.0
// Told differences against decisions: of drawn tenants and drawn changes, at every node.
#include "access/access_difference.h"

#include <gtest/gtest.h>

#include "access/drawn_tenant.h"
#include "access/scope_type.h"

namespace claviger {
namespace {

const Subject subject = drawn_caller;

struct Pair {
    AccessSnapshot before, after;
};

Pair drawn_change(DrawnTenant& tenant) {
    const AccessSnapshot before = tenant.draw();
    AccessSnapshot::Change change(before);
    for (const AccessRule& rule : tenant.rules) {
        if (tenant.pick(3) == 0) {
            change.put(removed(rule));
        }
    }
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(tenant.pick(3)); ++i) {
        change.put(make_rule(-1 - i, subject, tenant.role(), tenant.node()));
    }
    for (Role role : tenant.roles) {
        if (tenant.pick(2) == 0) {
            role.enabled = !role.enabled;
            change.put(role);
        }
    }
    return {before, change.finish()};
}

/// What the differences come to at a node, read from the top as a person reads them.
PermissionSet told_after(const Pair& pair, const std::vector<ScopeDifference>& told,
                         PermissionSet at_node, NodeIndex node) {
    PermissionSet gained, lost;
    for (const ScopeDifference& entry : told) {
        if (pair.after.is_same_or_below(node, entry.scope)) {
            gained = without(gained, entry.unchanged);
            lost = without(lost, entry.unchanged);
            gained.add(entry.gained);
            lost.add(entry.lost);
        }
    }
    at_node.add(gained);
    return without(at_node, lost);
}

void expect_told_right(const Pair& pair, const AccessHolder& holder, std::uint64_t seed) {
    const auto told = access_difference(pair.before, pair.after, holder);
    const auto check = [&](NodeIndex node) {
        const PermissionSet before = permissions_at(pair.before, holder, node);
        EXPECT_EQ(told_after(pair, told, before, node), permissions_at(pair.after, holder, node))
            << "seed " << seed << " at " << text_of(pair.after.scope_id(node));
    };
    check(pair.after.root());
    for (const ScopeType type : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        pair.after.for_each_unit(type, [&](NodeIndex node, const OrgUnit&) { check(node); });
    }
    for (const ScopeDifference& entry : told) {
        EXPECT_FALSE(entry.gained.empty() && entry.lost.empty() && entry.unchanged.empty());
    }
}

TEST(AccessDifferenceTest, TellsOfDrawnChangesWhatDecisionsSay) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        std::mt19937_64 random(seed);
        DrawnTenant tenant{random};
        const Pair pair = drawn_change(tenant);
        expect_told_right(pair, {{&subject, 1}, {}}, seed);
        AccessLimit limit;
        limit.permissions = PermissionSet();
        limit.roles = {tenant.role()};
        limit.scopes = {tenant.node(), tenant.node()};
        const AccessLimit* limits = &limit;
        expect_told_right(pair, {{&subject, 1}, {&limits, 1}}, seed);
    }
}

TEST(AccessDifferenceTest, SaysNothingOfAChangeThatChangesNothing) {
    std::mt19937_64 random(7);
    DrawnTenant tenant{random};
    const AccessSnapshot before = tenant.draw();
    AccessSnapshot::Change change(before);
    for (AccessRule rule : tenant.rules) { // the same once more, under another number
        rule.id.value += 1'000;
        change.put(rule);
    }
    const AccessSnapshot after = change.finish();
    EXPECT_TRUE(access_difference(before, after, {{&subject, 1}, {}}).empty());
}

TEST(AccessDifferenceTest, TellsOnceWhatHoldsBelow) {
    const ScopeId cluster{tenant_id, ScopeType::cluster, "c"};
    const ScopeId project{tenant_id, ScopeType::project, "p"};
    const AccessRule above = make_rule(1, subject, viewer, tenant_scope(tenant_id));
    const AccessRule below = make_rule(2, subject, viewer, project);
    const AccessSnapshot before =
        AccessSnapshot::build(make_tenant(),
                              {make_unit(ScopeType::cluster, "c", tenant_scope(tenant_id)),
                               make_unit(ScopeType::project, "p", cluster)},
                              {above, below});
    const AccessSnapshot after = before.with(removed(above));
    const auto told = access_difference(before, after, {{&subject, 1}, {}});
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].scope, after.root());
    EXPECT_EQ(told[0].lost, find_role(viewer)->permissions);
    EXPECT_EQ(told[1].scope, *after.find(project));
    EXPECT_EQ(told[1].unchanged, find_role(viewer)->permissions);
    EXPECT_TRUE(told[1].lost.empty() && told[1].gained.empty() && told[0].gained.empty());
}

} // namespace
} // namespace claviger
