// SPDX-License-Identifier: Apache-2.0
#include "access/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/test_rows.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const ScopeId root = tenant_scope(tenant_id);
const Subject ann{SubjectType::user, "ann@example.com"};

/// acme > c1 > d1 > p1
class Snapshot : public ::testing::Test {
protected:
    const OrgUnit c1 = make_unit(ScopeType::cluster, "c1", root);
    const OrgUnit d1 = make_unit(ScopeType::department, "11", c1.id);
    const OrgUnit p1 = make_unit(ScopeType::project, "21", d1.id);
    const AccessSnapshot snapshot = AccessSnapshot::build(make_tenant(), {c1, d1, p1}, {});

    static std::vector<std::string> values(const AccessSnapshot& of, ScopeType type) {
        std::vector<std::string> found;
        of.for_each_unit(type, [&](NodeIndex node, const OrgUnit& unit) {
            EXPECT_EQ(of.find(unit.id), node);
            found.push_back(unit.id.value);
        });
        return found;
    }
    static std::vector<std::int32_t> numbers(const AccessSnapshot& of) {
        std::vector<std::int32_t> found;
        of.for_each_rule([&](const RuleInPlace& rule) { found.push_back(rule.number); });
        return found;
    }
};

TEST_F(Snapshot, KnowsItsTree) {
    const NodeIndex project = *snapshot.find(p1.id);
    EXPECT_EQ(snapshot.tenant(), tenant_id);
    EXPECT_EQ(node_count(snapshot), 4U);
    EXPECT_EQ(snapshot.scope_id(project), p1.id);
    EXPECT_EQ(snapshot.scope_id(snapshot.root()), root);
    EXPECT_EQ(snapshot.org_unit(snapshot.root()), nullptr);
    EXPECT_EQ(snapshot.parent(project), snapshot.find(d1.id));
    EXPECT_FALSE(snapshot.parent(snapshot.root()).has_value());
    EXPECT_EQ(snapshot.path(project), "acme/unit-c1/unit-11/unit-21");
    EXPECT_TRUE(snapshot.is_same_or_below(project, *snapshot.find(c1.id)));
    EXPECT_TRUE(snapshot.is_same_or_below(project, snapshot.root()));
    EXPECT_FALSE(snapshot.is_same_or_below(*snapshot.find(c1.id), project));
}

TEST_F(Snapshot, FindsExactIdsOnly) {
    EXPECT_FALSE(snapshot.find({tenant_id, ScopeType::department, "21"}).has_value());
    EXPECT_FALSE(snapshot.find({tenant_id, ScopeType::project, "2"}).has_value());
    EXPECT_FALSE(snapshot.find({tenant_id, ScopeType::project, "021"}).has_value());
    EXPECT_FALSE(snapshot.find({tenant_id, ScopeType::cluster, "C1"}).has_value());
    EXPECT_FALSE(snapshot.find({tenant_id, ScopeType::system, "1"}).has_value());
    EXPECT_FALSE(snapshot.find({tenant_id, ScopeType::tenant, "2"}).has_value());
    EXPECT_FALSE(snapshot.find({TenantId{2}, ScopeType::project, "21"}).has_value());
}

TEST_F(Snapshot, TakesAnotherNameWithoutTouchingTheOldOne) {
    OrgUnit renamed = d1;
    renamed.name = "research";
    const AccessSnapshot after = snapshot.with(renamed).with(make_tenant("acme ltd"));
    const NodeIndex project = *snapshot.find(p1.id);
    EXPECT_EQ(after.path(project), "acme ltd/unit-c1/research/unit-21");
    EXPECT_EQ(snapshot.path(project), "acme/unit-c1/unit-11/unit-21");
    Tenant other = make_tenant("other");
    other.id = TenantId{2};
    EXPECT_EQ(after.with(other).tenant(), tenant_id);
}

TEST_F(Snapshot, RemovesWhatIsBelowAsWell) {
    const auto p2 = make_unit(ScopeType::project, "22", d1.id);
    const auto c2 = make_unit(ScopeType::cluster, "c2", root);
    const AccessSnapshot before = snapshot.with(p2)
                                      .with(c2)
                                      .with(make_rule(1, ann, viewer, p1.id))
                                      .with(make_rule(2, ann, viewer, d1.id))
                                      .with(make_rule(3, ann, viewer, c2.id));
    const NodeIndex project = *before.find(p1.id);
    const AccessSnapshot after = before.with(removed(c1));
    EXPECT_EQ(node_count(after), 2U);
    EXPECT_FALSE(after.find(c1.id).has_value());
    EXPECT_FALSE(after.find(p1.id).has_value());
    EXPECT_FALSE(after.is_same_or_below(project, after.root()));
    EXPECT_THAT(values(after, ScopeType::cluster), ElementsAre("c2"));
    EXPECT_THAT(numbers(after), ElementsAre(3));
    EXPECT_EQ(rule_count(after), 1U);
    EXPECT_FALSE(after.rule({tenant_id, 1}).has_value());
    EXPECT_EQ(rule_count(before), 3U);
    EXPECT_EQ(node_count(after.with(removed(p1))), 2U) << "gone already";
    EXPECT_EQ(after.with(make_unit(ScopeType::cluster, "c3", root))
                  .find({tenant_id, ScopeType::cluster, "c3"}),
              NodeIndex{6})
        << "an index is never given twice";
}

TEST_F(Snapshot, LeavesOutUnitsWithoutAPlace) {
    OrgUnit foreign = make_unit(ScopeType::project, "31", d1.id);
    foreign.id.tenant = TenantId{2};
    OrgUnit beside = make_unit(ScopeType::department, "13", d1.id);
    OrgUnit turned = c1; // a circle, were it taken
    turned.parent = p1.id;
    const auto lost = make_unit(ScopeType::project, "32", {tenant_id, ScopeType::department, "9"});
    const auto second_root = make_unit(ScopeType::tenant, "2", root);
    for (const OrgUnit& unit : {foreign, beside, turned, lost, second_root, removed(lost)}) {
        const AccessSnapshot after = snapshot.with(unit);
        EXPECT_EQ(node_count(after), 4U) << unit.id.value;
        EXPECT_EQ(after.path(*after.find(p1.id)), "acme/unit-c1/unit-11/unit-21");
    }
}

TEST_F(Snapshot, IsBuiltFromRowsInAnyOrder) {
    const auto a = make_unit(ScopeType::project, "30", d1.id);
    const AccessSnapshot built = AccessSnapshot::build(
        make_tenant(), {p1, d1, a, c1, removed(make_unit(ScopeType::cluster, "c9", root))},
        {make_rule(1, ann, viewer, p1.id), removed(make_rule(2, ann, viewer, p1.id)),
         make_rule(3, ann, viewer, {tenant_id, ScopeType::cluster, "c9"})});
    EXPECT_EQ(node_count(built), 5U);
    EXPECT_THAT(values(built, ScopeType::project), ElementsAre("21", "30"));
    EXPECT_THAT(numbers(built), ElementsAre(1));
    EXPECT_EQ(rule_count(built.with(removed(p1))), 0U) << "rules of the start are counted too";
}

TEST_F(Snapshot, GivesRulesBackWhole) {
    const std::string account = "0556eb5c-fee7-42a5-93d4-95282d9a5c08";
    const std::vector<AccessRule> rules{
        make_rule(1, ann, viewer, p1.id), make_rule(2, {SubjectType::group, ann.value}, 1, root),
        make_rule(3, {SubjectType::service_account, account}, 3, c1.id),
        make_rule(4, {SubjectType::service_account, "0556EB5C-FEE7-42A5-93D4-95282D9A5C08"}, 3,
                  c1.id),
        make_rule(5, {SubjectType::service_account, "no id at all"}, 424242, d1.id)};
    AccessSnapshot grown = snapshot;
    for (const AccessRule& rule : rules) {
        grown = grown.with(rule);
    }
    for (const auto& of : {grown, AccessSnapshot::build(make_tenant(), {c1, d1, p1}, rules)}) {
        EXPECT_THAT(numbers(of), UnorderedElementsAre(1, 2, 3, 4, 5));
        for (const AccessRule& rule : rules) {
            const auto found = of.rule(rule.id);
            ASSERT_TRUE(found) << rule.id.value;
            EXPECT_EQ(found->subject, rule.subject);
            EXPECT_EQ(found->role, rule.role);
            EXPECT_EQ(found->scope, rule.scope);
            EXPECT_EQ(found->created_by, rule.created_by);
            EXPECT_EQ(found->created_at, rule.created_at);
            EXPECT_EQ(found->updated_at, rule.updated_at);
            std::vector<std::int32_t> own;
            of.for_each_rule_of(rule.subject,
                                [&](const AccessRule& each) { own.push_back(each.id.value); });
            EXPECT_THAT(own, ElementsAre(rule.id.value)) << "a near subject is another subject";
        }
    }
    EXPECT_FALSE(grown.rule({tenant_id, 6}).has_value());
}

TEST_F(Snapshot, ReplacesARuleOfTheSameNumber) {
    const Subject bob{SubjectType::user, "bob@example.com"};
    const AccessSnapshot before = snapshot.with(make_rule(1, ann, viewer, p1.id));
    const AccessSnapshot after = before.with(make_rule(1, bob, viewer, c1.id));
    EXPECT_EQ(rule_count(after), 1U);
    EXPECT_EQ(after.rule({tenant_id, 1})->subject, bob);
    EXPECT_EQ(before.rule({tenant_id, 1})->subject, ann);
    EXPECT_EQ(rule_count(after.with(removed(p1))), 1U) << "it stands elsewhere now";
    const ScopeId nowhere{tenant_id, ScopeType::project, "99"};
    EXPECT_EQ(rule_count(after.with(make_rule(1, bob, viewer, nowhere))), 0U);
    EXPECT_EQ(rule_count(after.with(removed(make_rule(1, bob, viewer, c1.id)))), 0U);
    EXPECT_EQ(rule_count(after.with(removed(make_rule(2, bob, viewer, c1.id)))), 1U);
}

TEST_F(Snapshot, HoldsManyRulesOfManySubjects) {
    AccessSnapshot grown = snapshot;
    for (std::int32_t number = 1; number <= 2000; ++number) {
        const Subject subject{SubjectType::user, "u" + std::to_string(number % 97)};
        grown = grown.with(make_rule(number, subject, viewer, number % 2 == 0 ? p1.id : d1.id));
    }
    for (std::int32_t number = 1; number <= 2000; number += 3) {
        grown = grown.with(removed(make_rule(number, ann, viewer, root)));
    }
    EXPECT_EQ(rule_count(grown), 1333U);
    EXPECT_FALSE(grown.rule({tenant_id, 1000}).has_value());
    EXPECT_EQ(grown.rule({tenant_id, 999})->subject.value, "u29");
    EXPECT_EQ(rule_count(grown.with(removed(p1))), 666U);
    EXPECT_EQ(rule_count(grown.with(removed(d1))), 0U);
}

} // namespace
} // namespace claviger
