// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "access/role.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::World;

constexpr std::int32_t viewer = 7;
constexpr std::int32_t department_administrator = 1710;

class RuleBatchTest : public ::testing::Test {
protected:
    World world;
    OrgUnit cluster = *world.units.create(
        world.admin(), {ScopeType::cluster, tenant_scope(TenantId{1}), "c", "", "{}"});

    static AccessRuleDraft draft(const std::string& email, std::int32_t role,
                                 const ScopeId& scope) {
        return {{SubjectType::user, email}, {scope.tenant, role}, scope};
    }
    AccessRuleDraft view(const std::string& email) const {
        return draft(email, viewer, cluster.id);
    }
    RulesCreated create(const std::vector<AccessRuleDraft>& drafts) {
        return *world.rules.create_all(world.admin(), drafts);
    }
    RulesRemoved remove(const std::vector<AccessRuleId>& ids, BatchMode mode = BatchMode::real) {
        return *world.rules.remove_all(world.admin(), ids, mode);
    }
    std::size_t count() const {
        std::size_t rules = 0;
        world.state()->access.for_each_rule([&](const RuleInPlace&) { ++rules; });
        return rules;
    }
    AccessRuleId rule_of_admin() const {
        AccessRuleId id;
        world.state()->access.for_each_rule_of({SubjectType::user, testing::admin_email},
                                               [&](const AccessRule& rule) { id = rule.id; });
        return id;
    }
};

TEST_F(RuleBatchTest, RefusesEntriesOneByOne) {
    const ScopeId nowhere{TenantId{1}, ScopeType::project, "99"};
    const AccessRuleDraft unknown{{SubjectType::service_account, Uuid::make(world.random).text()},
                                  {TenantId{1}, viewer},
                                  cluster.id};
    const RulesCreated outcomes =
        create({view("a@x.io"), draft("b@x.io", viewer, nowhere), view("a@x.io"),
                draft("c@x.io", 12345, cluster.id), unknown, view("d@x.io")});
    ASSERT_EQ(outcomes.size(), 6U);
    EXPECT_TRUE(outcomes[0]);
    EXPECT_EQ(outcomes[1].error().code(), ErrorCode::not_found);
    EXPECT_EQ(outcomes[2].error().code(), ErrorCode::conflict) << "it is there by then";
    EXPECT_EQ(outcomes[3].error().code(), ErrorCode::invalid_request);
    EXPECT_EQ(outcomes[4].error().code(), ErrorCode::not_found);
    EXPECT_TRUE(outcomes[5]);
    EXPECT_LT(outcomes[0]->id.value, outcomes[5]->id.value);
    EXPECT_EQ(count(), 3U);
}

TEST_F(RuleBatchTest, NobodyGivesOrTakesMoreThanTheyHold) {
    const NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");
    ASSERT_TRUE(world.rules.create(world.admin(),
                                   {{SubjectType::service_account, account.account.id.value.text()},
                                    {TenantId{1}, department_administrator},
                                    cluster.id}));
    const AccessRuleId chief =
        world.rules.create(world.admin(), draft("chief@x.io", system_administrator, cluster.id))
            ->id;
    const AccessRuleId weak = world.rules.create(world.admin(), view("weak@x.io"))->id;
    const Caller caller = world.account(account);
    const std::vector<AccessRuleDraft> drafts{draft("x@x.io", system_administrator, cluster.id),
                                              view("x@x.io")};
    const RulesCreated made = *world.rules.create_all(caller, drafts);
    EXPECT_EQ(made[0].error().code(), ErrorCode::access_denied);
    EXPECT_TRUE(made[1]);
    const std::vector<AccessRuleId> ids{chief, weak};
    const RulesRemoved gone = *world.rules.remove_all(caller, ids, BatchMode::real);
    EXPECT_EQ(gone[0].error().code(), ErrorCode::access_denied);
    EXPECT_TRUE(gone[1]);
}

TEST_F(RuleBatchTest, TheLastAdministratorIsJudgedByWhatTheBatchLeaves) {
    const NewServiceAccount second = *world.accounts.create(world.admin(), "second");
    const AccessRuleId rule_of_second =
        world.rules
            .create(world.admin(), {{SubjectType::service_account, second.account.id.value.text()},
                                    {TenantId{1}, system_administrator},
                                    tenant_scope(TenantId{1})})
            ->id;
    const AccessRuleId other = world.rules.create(world.admin(), view("a@x.io"))->id;
    const std::vector<AccessRuleId> all{rule_of_admin(), rule_of_second, other};
    for (const BatchMode mode : {BatchMode::rehearsal, BatchMode::real}) {
        EXPECT_EQ(count(), 3U);
        const RulesRemoved outcomes = remove(all, mode);
        EXPECT_TRUE(outcomes[0]);
        EXPECT_EQ(outcomes[1].error().code(), ErrorCode::conflict);
        EXPECT_TRUE(outcomes[2]);
    }
    EXPECT_EQ(count(), 1U);
    const auto kept = world.state()->access.rule(rule_of_second);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->updated_at, kept->created_at);
}

TEST_F(RuleBatchTest, DeletesEachOnce) {
    const AccessRuleId first = world.rules.create(world.admin(), view("a@x.io"))->id;
    const AccessRuleId unknown{TenantId{1}, 999};
    const AccessRuleId foreign{TenantId{2}, first.value};
    const RulesRemoved outcomes = remove({first, unknown, first, foreign});
    EXPECT_TRUE(outcomes[0]);
    for (const std::size_t i : {1U, 2U, 3U}) {
        EXPECT_EQ(outcomes[i].error().code(), ErrorCode::not_found);
    }
    EXPECT_TRUE(remove({}).empty());
    EXPECT_TRUE(create({}).empty());
}

TEST_F(RuleBatchTest, ARefusedBatchChangesNothing) {
    const std::uint64_t revision = world.state()->revision;
    EXPECT_FALSE(create({draft("a@x.io", 12345, cluster.id)}).front());
    EXPECT_FALSE(remove({rule_of_admin()}).front());
    EXPECT_TRUE(remove({}, BatchMode::rehearsal).empty());
    EXPECT_EQ(world.state()->revision, revision);
}

TEST_F(RuleBatchTest, AreDoneWhollyOrNotAtAllWhereverTheStoreFails) {
    const std::vector<AccessRuleDraft> drafts{view("a@x.io"), view("b@x.io"), view("c@x.io")};
    const std::size_t before = count();
    std::uint64_t call = 1;
    std::vector<AccessRuleId> ids;
    for (; ids.empty(); ++call) {
        world.store.fail_call(call);
        const auto outcomes = world.rules.create_all(world.admin(), drafts);
        if (!outcomes) {
            EXPECT_EQ(outcomes.error().code(), ErrorCode::unavailable);
            ASSERT_EQ(count(), before) << "call " << call;
            continue;
        }
        for (const auto& outcome : *outcomes) {
            ids.push_back(outcome->id);
        }
    }
    EXPECT_EQ(call, 12U) << "three rules of a number, a row and an event each, one entry of the "
                            "feed for all, and the last try";
    ids.push_back(rule_of_admin()); // refused: the last administrator
    for (call = 1; call < 20; ++call) {
        world.store.fail_call(call);
        if (world.rules.remove_all(world.admin(), ids, BatchMode::real)) {
            break;
        }
        ASSERT_EQ(count(), before + 3) << "call " << call;
    }
    world.store.fail_call(0);
    EXPECT_EQ(call, 10U) << "three rules of a row and an event each, one put and put back, one "
                            "entry of the feed";
    EXPECT_EQ(count(), before);
}

} // namespace
} // namespace claviger
