// SPDX-License-Identifier: Apache-2.0
#include "auth/leaked_secrets.h"

#include <gmock/gmock.h>

#include "auth/test_world.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using testing::World;

class LeakedSecretsTest : public ::testing::Test {
protected:
    World world;
    NewServiceAccount robot = *world.accounts.create(world.admin(), "robot");
    std::int64_t wait = 0;

    Result<LeakOutcome> report(std::string_view secret, std::optional<std::string_view> client_id) {
        return world.leaked_secrets.report(*world.state(), {secret, client_id, "a wiki"},
                                           World::origin(), wait);
    }
    bool is_good() { return world.grant(robot).result.has_value(); }
    ClientSecret kept() {
        return world.state()->accounts.find(robot.account.id.value)->secrets.all().front();
    }
};

TEST_F(LeakedSecretsTest, EndByThePolicy) {
    world.settings.leaked_secret_policy = LeakPolicy::record;
    EXPECT_EQ(*report(robot.client_secret.reveal(), "robot"), LeakOutcome::recorded);
    EXPECT_TRUE(is_good());
    world.settings.leaked_secret_policy = LeakPolicy::freeze;
    EXPECT_EQ(*report(robot.client_secret.reveal(), "robot"), LeakOutcome::frozen);
    EXPECT_FALSE(is_good());
    EXPECT_TRUE(kept().frozen);
    EXPECT_EQ(*report(robot.client_secret.reveal(), "robot"), LeakOutcome::retired);
    EXPECT_TRUE(kept().frozen) << "a second report changes nothing";
    const KeyName key{PrincipalKind::service_account, robot.account.id.value};
    ASSERT_TRUE(world.secrets.restore(world.admin(), key, kept().id));
    EXPECT_TRUE(is_good());
    EXPECT_TRUE(world.secrets.restore(world.admin(), key, kept().id)) << "it is good already";
    world.settings.leaked_secret_policy = LeakPolicy::revoke;
    EXPECT_EQ(*report(robot.client_secret.reveal(), "robot"), LeakOutcome::revoked);
    EXPECT_FALSE(is_good());
    EXPECT_FALSE(world.secrets.restore(world.admin(), key, kept().id)) << "that was for good";
    EXPECT_EQ(world.leaked_secrets.count(), 4U);
    const auto events = testing::payloads_of(world.store, world.state()->tenant.id);
    EXPECT_THAT(events.back(), HasSubstr("a wiki"));
    EXPECT_THAT(events.back(), HasSubstr("leak report"));
}

TEST_F(LeakedSecretsTest, ATokenOfAFrozenSecretHasEndedForGood) {
    world.settings.leaked_secret_policy = LeakPolicy::freeze;
    const std::string token = world.grant(robot).result->access_token;
    ASSERT_TRUE(report(robot.client_secret.reveal(), "robot"));
    const auto is_token_good = [&] {
        return world.verifier
            .verify(*world.state(), token, AcceptedTokens::access_tokens, "192.0.2.1")
            .has_value();
    };
    EXPECT_FALSE(is_token_good());
    const KeyName key{PrincipalKind::service_account, robot.account.id.value};
    ASSERT_TRUE(world.secrets.restore(world.admin(), key, kept().id));
    EXPECT_FALSE(is_token_good());
}

TEST_F(LeakedSecretsTest, AreFoundWithoutAClientIdOnceASecond) {
    EXPECT_EQ(*report(robot.client_secret.reveal(), std::nullopt), LeakOutcome::revoked);
    const auto again = report(robot.client_secret.reveal(), std::nullopt);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::too_many_requests);
    EXPECT_EQ(wait, 1);
    world.clock.advance_seconds(1);
    EXPECT_EQ(*report(robot.client_secret.reveal(), std::nullopt), LeakOutcome::retired);
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop");
    world.clock.advance_seconds(1);
    EXPECT_EQ(*report(key.client_secret.reveal(), std::nullopt), LeakOutcome::revoked);
}

TEST_F(LeakedSecretsTest, OfOthersAreUnknown) {
    ASSERT_TRUE(world.add_tenant("other", "other.example"));
    EXPECT_EQ(*world.leaked_secrets.report(*world.state("other"),
                                           {robot.client_secret.reveal(), "robot", ""},
                                           World::origin(), wait),
              LeakOutcome::unknown);
    EXPECT_EQ(*report("nonsense", "robot"), LeakOutcome::unknown);
    EXPECT_TRUE(is_good());
    EXPECT_EQ(world.leaked_secrets.count(), 0U);
    world.clock.advance_seconds(1);
    EXPECT_EQ(*report(robot.client_secret.reveal(), "nobody"), LeakOutcome::revoked)
        << "a wrong client id does not save it";
}

TEST_F(LeakedSecretsTest, GuessingIsSlowedDown) {
    Result<LeakOutcome> last;
    for (int i = 0; i < 100 && (i == 0 || last); ++i) {
        last = report("nonsense", "robot");
    }
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code(), ErrorCode::too_many_requests);
    EXPECT_GT(wait, 0);
}

TEST_F(LeakedSecretsTest, TheSameSecretIsNotReportedForEver) {
    Result<LeakOutcome> last;
    for (int i = 0; i < 100 && (i == 0 || last); ++i) {
        last = report(robot.client_secret.reveal(), "robot");
    }
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code(), ErrorCode::too_many_requests);
}

TEST_F(LeakedSecretsTest, AHoneyKeyIsGoodForNothing) {
    const NewServiceAccount trap =
        *world.accounts.create(world.admin(), "trap", R"({"honey":true})");
    const auto refused = world.grant(trap);
    ASSERT_FALSE(refused.result);
    EXPECT_EQ(refused.refusal->reason, RefusalReason::honey_key);
    EXPECT_EQ(world.grants.counts().honey_keys, 1U);
    EXPECT_EQ(*report(trap.client_secret.reveal(), "trap"), LeakOutcome::recorded);
    EXPECT_EQ(world.grant(trap).refusal->reason, RefusalReason::honey_key) << "a trap stays one";
    const std::string token = world.grant(robot).result->access_token;
    ASSERT_TRUE(
        world.accounts.set_limits(world.admin(), robot.account.id.value, R"({"honey":true})"));
    EXPECT_FALSE(
        world.verifier.verify(*world.state(), token, AcceptedTokens::access_tokens, "192.0.2.1"));
    const RevocationTable& feed = world.state()->revocations;
    const std::uint64_t ended = feed.last_number() - 1;
    EXPECT_EQ(feed.find(ended)->kind, RevocationKind::principal);
    EXPECT_EQ(feed.find(ended)->epoch, 2U);
    EXPECT_EQ(feed.find(ended + 1)->kind, RevocationKind::rules) << "limits decide as rules do";
    EXPECT_FALSE(world.accounts.create(world.admin(), "worse", R"({"honey":1})"));
}

} // namespace
} // namespace claviger
