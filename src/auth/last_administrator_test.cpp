// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "access/role.h"
#include "auth/last_administrator.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::World;

class LastAdministratorTest : public ::testing::Test {
protected:
    World world;
    const TenantId tenant = world.state()->tenant.id;
    NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");
    const AccessRule first = *world.state()->access.rule({tenant, 1});

    Result<AccessRule> make_administrator(Subject subject) {
        return world.rules.create(
            world.admin(),
            {std::move(subject), {tenant, system_administrator}, tenant_scope(tenant)});
    }
    Subject account_subject() const {
        return {SubjectType::service_account, account.account.id.value.text()};
    }
    ErrorCode error_of(const Result<void>& result) const {
        return result ? ErrorCode::internal : result.error().code();
    }
};

TEST_F(LastAdministratorTest, KeepsTheRule) {
    EXPECT_EQ(error_of(world.rules.remove(world.admin(), first.id)), ErrorCode::conflict);
    const auto second = make_administrator(account_subject());
    ASSERT_TRUE(second);
    EXPECT_TRUE(world.rules.remove(world.admin(), first.id));
    EXPECT_EQ(error_of(world.rules.remove(world.account(account), second->id)),
              ErrorCode::conflict);
}

TEST_F(LastAdministratorTest, KeepsTheAccount) {
    ASSERT_TRUE(make_administrator(account_subject()));
    ASSERT_TRUE(world.rules.remove(world.admin(), first.id));
    const Uuid id = account.account.id.value;
    EXPECT_EQ(error_of(world.accounts.set_enabled(world.account(account), id, false)),
              ErrorCode::conflict);
    EXPECT_EQ(error_of(world.accounts.remove(world.account(account), id)), ErrorCode::conflict);
    EXPECT_TRUE(world.grant(account).result) << "nothing was done";
    EXPECT_FALSE(world.state()->access.rule(first.id)) << "the first one is gone";
}

TEST_F(LastAdministratorTest, CountsWhoCanSignInOnly) {
    // None of these can be seen to sign in: nobody, a group, a disabled account.
    ASSERT_TRUE(make_administrator({SubjectType::user, "nobody@example.com"}));
    ASSERT_TRUE(make_administrator({SubjectType::group, "administrators"}));
    ASSERT_TRUE(make_administrator(account_subject()));
    const Uuid id = account.account.id.value;
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), id, false));
    EXPECT_EQ(error_of(world.rules.remove(world.admin(), first.id)), ErrorCode::conflict);
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), id, true));
    EXPECT_TRUE(world.rules.remove(world.admin(), first.id));
}

TEST_F(LastAdministratorTest, LetsOtherRulesGo) {
    const auto rule =
        world.rules.create(world.admin(), {account_subject(), {tenant, 7}, tenant_scope(tenant)});
    ASSERT_TRUE(rule);
    EXPECT_TRUE(world.rules.remove(world.admin(), rule->id));
    EXPECT_TRUE(world.accounts.set_enabled(world.admin(), account.account.id.value, false));
    EXPECT_TRUE(world.accounts.remove(world.admin(), account.account.id.value));
}

} // namespace
} // namespace claviger
