// SPDX-License-Identifier: Apache-2.0
#include "auth/key_secrets.h"

#include <gmock/gmock.h>

#include "auth/issue_token.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::World;

constexpr std::int64_t day = 86'400;

class KeySecretsTest : public ::testing::Test {
protected:
    World world;
    NewServiceAccount robot = *world.accounts.create(world.admin(), "robot");
    KeyName key{PrincipalKind::service_account, robot.account.id.value};

    std::string token_with(std::string_view client_id, const Secret& secret) {
        const auto outcome = world.grants.client_credentials(*world.state(), client_id,
                                                             secret.reveal(), World::origin(), {});
        last_refusal = outcome.refusal;
        return outcome.result ? outcome.result->access_token : std::string();
    }
    std::string token_with(const Secret& secret) { return token_with("robot", secret); }
    bool is_good(const std::string& token) {
        const auto principal = world.verifier.verify(*world.state(), token,
                                                     AcceptedTokens::access_tokens, "192.0.2.1");
        last_refusal = principal ? std::nullopt : std::optional(principal.error());
        return principal.has_value();
    }
    NewSecret add(const NewSecretOptions& options = {}) {
        auto made = world.secrets.add(world.admin(), key, options);
        EXPECT_TRUE(made) << made.error().detail();
        return *std::move(made);
    }
    std::vector<ClientSecret> all() { return *world.secrets.all(world.admin(), key); }
    std::vector<SecretState> states() {
        std::vector<SecretState> states;
        for (const ClientSecret& secret : all()) {
            states.push_back(state_of(secret, world.clock.now()));
        }
        return states;
    }
    template <class T>
    static std::string told(const Result<T>& result) {
        return result ? "done" : result.error().detail();
    }

    std::optional<Refusal> last_refusal;
};

TEST_F(KeySecretsTest, BothSecretsAreGoodUntilTheOlderIsRetired) {
    const NewSecret second = add();
    EXPECT_TRUE(is_good(token_with(robot.client_secret)));
    const std::string late = token_with(second.text);
    EXPECT_TRUE(is_good(late));
    EXPECT_EQ(read_token_id(parse_jwt(late)->token_id)->secret, 2U);
    world.clock.advance_seconds(day + 1);
    ASSERT_EQ(told(world.secrets.retire(world.admin(), key, {{}, day, false})), "done");
    EXPECT_THAT(states(), ElementsAre(SecretState::retired, SecretState::live));
    EXPECT_EQ(token_with(robot.client_secret), "");
    EXPECT_EQ(last_refusal->reason, RefusalReason::secret_retired);
    EXPECT_EQ(last_refusal->when, world.clock.now());
    EXPECT_NE(token_with(second.text), "");
    EXPECT_EQ(world.grants.counts().retired_secrets, 1U);
    const auto events = testing::payloads_of(world.events, world.state()->tenant.id);
    EXPECT_THAT(events, ::testing::Contains(
                            ::testing::AllOf(HasSubstr("retired secret"), HasSubstr("192.0.2.1"))));
}

TEST_F(KeySecretsTest, TokensStayGoodWhenTheirSecretIsRetiredAndEndWhenItIsRevoked) {
    const NewSecret second = add();
    const std::string with_first = token_with(robot.client_secret);
    const std::string with_second = token_with(second.text);
    ASSERT_EQ(told(world.secrets.retire(world.admin(), key, {{}, day, true})), "done");
    EXPECT_TRUE(is_good(with_first));
    const Uuid first = all().front().id;
    ASSERT_EQ(told(world.revocations.end_secret(world.admin(), key.id, first)), "done");
    EXPECT_FALSE(is_good(with_first));
    EXPECT_EQ(last_refusal->reason, RefusalReason::secret_revoked);
    EXPECT_TRUE(is_good(with_second));
    const RevocationTable& feed = world.state()->revocations;
    const Revocation* told = feed.find(feed.last_number());
    ASSERT_NE(told, nullptr);
    EXPECT_EQ(told->kind, RevocationKind::secret);
    EXPECT_EQ(told->name, "robot");
    EXPECT_EQ(told->epoch, 1U);
}

TEST_F(KeySecretsTest, RetiringIsRefusedWhileTheSecretIsUsed) {
    add();
    token_with(robot.client_secret);
    world.clock.advance_seconds(3600);
    const auto refused = world.secrets.retire(world.admin(), key, {{}, day, false});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
    EXPECT_THAT(refused.error().detail(), HasSubstr("from 192.0.2.1 by test/1"));
    EXPECT_THAT(states(), ElementsAre(SecretState::live, SecretState::live));
    // What is in the store counts as what is in memory.
    ASSERT_TRUE(world.secret_uses.flush(world.store));
    EXPECT_FALSE(world.secrets.retire(world.admin(), key, {{}, day, false}));
    EXPECT_EQ(told(world.secrets.retire(world.admin(), key, {{}, 3600, false})), "done");
}

TEST_F(KeySecretsTest, TheOnlyGoodSecretIsNotRetired) {
    EXPECT_TRUE(world.secrets.retire(world.admin(), key, {})->empty());
    const Uuid only = all().front().id;
    EXPECT_THAT(told(world.secrets.retire(world.admin(), key, {only, 0, true})),
                HasSubstr("only secret"));
    EXPECT_THAT(told(world.secrets.retire(world.admin(), key, {Uuid::make(world.random), 0, true})),
                HasSubstr("no secret"));
    EXPECT_NE(token_with(robot.client_secret), "");
}

TEST_F(KeySecretsTest, FiveAtATime) {
    for (std::size_t i = 1; i < most_live_secrets; ++i) {
        add();
    }
    const auto sixth = world.secrets.add(world.admin(), key, {});
    ASSERT_FALSE(sixth);
    EXPECT_EQ(sixth.error().code(), ErrorCode::conflict);
    EXPECT_THAT(told(world.secrets.replace(world.admin(), key, 60)), HasSubstr("at most 5"));
    ASSERT_EQ(told(world.secrets.retire(world.admin(), key, {{}, 0, true})), "done");
    add();
    EXPECT_EQ(live_secret_count(all(), world.clock.now()), 2U);
}

TEST_F(KeySecretsTest, AnOverlapEndsByItself) {
    const std::string early = token_with(robot.client_secret);
    const Secret fresh = *world.secrets.replace(world.admin(), key, 600);
    EXPECT_NE(token_with(robot.client_secret), "");
    EXPECT_NE(token_with(fresh), "");
    world.clock.advance_seconds(600);
    EXPECT_EQ(token_with(robot.client_secret), "");
    EXPECT_EQ(last_refusal->reason, RefusalReason::secret_expired);
    EXPECT_TRUE(is_good(early));
    EXPECT_NE(token_with(fresh), "");
    EXPECT_THAT(told(world.secrets.replace(world.admin(), key, -1)), HasSubstr("overlapSeconds"));
    EXPECT_THAT(told(world.secrets.replace(world.admin(), key, longest_overlap_seconds + 1)),
                HasSubstr("overlapSeconds"));
}

TEST_F(KeySecretsTest, AHardCutEndsAllSecretsAndTheirTokens) {
    const NewSecret second = add();
    const std::string one = token_with(robot.client_secret);
    const std::string two = token_with(second.text);
    const Secret fresh = *world.secrets.replace(world.admin(), key, 0);
    EXPECT_FALSE(is_good(one));
    EXPECT_FALSE(is_good(two));
    EXPECT_EQ(token_with(robot.client_secret), "");
    EXPECT_EQ(last_refusal->reason, RefusalReason::secret_retired);
    EXPECT_EQ(token_with(second.text), "");
    EXPECT_NE(token_with(fresh), "");
}

TEST_F(KeySecretsTest, OneThatExpiresIsRefusedFromThenOn) {
    EXPECT_THAT(told(world.secrets.add(world.admin(), key, {world.clock.now(), {}})),
                HasSubstr("future"));
    const NewSecret brief = add({world.clock.now().plus_seconds(60), {}});
    EXPECT_NE(token_with(brief.text), "");
    world.clock.advance_seconds(60);
    EXPECT_EQ(token_with(brief.text), "");
    EXPECT_EQ(last_refusal->reason, RefusalReason::secret_expired);
}

TEST_F(KeySecretsTest, WhatDrainsIsRetiredOnceUnused) {
    const NewSecret second = add({{}, day});
    world.clock.advance_seconds(day - 1);
    EXPECT_EQ(*world.secrets.retire_drained(), 0U);
    token_with(robot.client_secret); // begins anew
    world.clock.advance_seconds(day - 1);
    EXPECT_EQ(*world.secrets.retire_drained(), 0U);
    world.clock.advance_seconds(30); // it looks now and then
    EXPECT_EQ(*world.secrets.retire_drained(), 1U);
    EXPECT_THAT(states(), ElementsAre(SecretState::retired, SecretState::live));
    EXPECT_EQ(*world.secrets.retire_drained(), 0U);
    EXPECT_NE(token_with(second.text), "");
    const auto events = testing::payloads_of(world.store, world.state()->tenant.id);
    EXPECT_THAT(events.back(), HasSubstr("unused for as long as was set"));
}

TEST_F(KeySecretsTest, TheLastGoodSecretDoesNotDrain) {
    add({world.clock.now().plus_seconds(60), day});
    world.clock.advance_seconds(2 * day);
    EXPECT_EQ(*world.secrets.retire_drained(), 0U);
    EXPECT_NE(token_with(robot.client_secret), "");
}

TEST_F(KeySecretsTest, NumbersAreNeverGivenTwiceAndTheOldestRetiredAreForgotten) {
    std::uint32_t last = 1;
    for (std::size_t i = 0; i < 2 * most_retired_secrets; ++i) {
        ASSERT_EQ(told(world.secrets.replace(world.admin(), key, 0)), "done");
        const auto secrets = all();
        EXPECT_EQ(secrets.back().number, last + 1);
        last = secrets.back().number;
        EXPECT_LE(secrets.size(), most_retired_secrets + 1);
    }
    token_with(robot.client_secret);
    EXPECT_EQ(last_refusal->reason, RefusalReason::wrong_secret);
}

TEST_F(KeySecretsTest, AClientRotatesItselfAndNobodyElse) {
    const Caller self = world.account(robot);
    const KeyName own = *own_key(self);
    EXPECT_EQ(own.id, key.id);
    const auto made = world.secrets.add(self, own, {});
    ASSERT_TRUE(made) << made.error().detail();
    EXPECT_NE(token_with(made->text), "");
    EXPECT_EQ(told(world.secrets.retire(self, own, {{}, 0, true})), "done");
    EXPECT_FALSE(own_key(world.admin())) << "signed in with a password";
}

TEST_F(KeySecretsTest, ANarrowedTokenMakesNoSecret) {
    Caller self = world.account(robot);
    ASSERT_TRUE(world.rules.create(world.admin(),
                                   {{SubjectType::service_account, robot.account.id.value.text()},
                                    {world.state()->tenant.id, 7},
                                    tenant_scope(world.state()->tenant.id)}));
    self.state = world.state();
    AccessLimit limit;
    limit.permissions.emplace();
    self.principal.narrowing = std::make_shared<const AccessLimit>(limit);
    const auto made = world.secrets.add(self, *own_key(self), {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), ErrorCode::access_denied);
    EXPECT_FALSE(world.secrets.replace(self, *own_key(self), 0));
}

TEST_F(KeySecretsTest, ANarrowedTokenRetiresNoneEither) {
    add();
    Caller self = world.account(robot);
    ASSERT_TRUE(world.rules.create(world.admin(),
                                   {{SubjectType::service_account, robot.account.id.value.text()},
                                    {world.state()->tenant.id, 7},
                                    tenant_scope(world.state()->tenant.id)}));
    self.state = world.state();
    AccessLimit limit;
    limit.permissions.emplace();
    self.principal.narrowing = std::make_shared<const AccessLimit>(limit);
    EXPECT_EQ(world.secrets.retire(self, *own_key(self), {{}, 0, true}).error().code(),
              ErrorCode::access_denied);
    EXPECT_THAT(states(), ElementsAre(SecretState::live, SecretState::live));
}

TEST_F(KeySecretsTest, WhatIsRestoredIsNotTheNewest) {
    const Uuid first = all().front().id;
    ASSERT_TRUE(world.secrets.end_leaked(
        world.state()->tenant.id, key, first, LeakPolicy::freeze,
        change_event(world.admin(), world.clock.now(), audit_action::update, "", "", "")));
    world.clock.advance_seconds(1);
    const NewSecret second = add();
    ASSERT_TRUE(world.secrets.restore(world.admin(), key, first));
    EXPECT_THAT(*world.secrets.retire(world.admin(), key, {{}, 0, true}), ElementsAre(first));
    EXPECT_NE(token_with(second.text), "");
}

TEST_F(KeySecretsTest, WhatIsFrozenEndsForGoodWhenItIsRevokedOrReplaced) {
    for (const bool by_revocation : {true, false}) {
        const Uuid id = all().back().id;
        ASSERT_TRUE(world.secrets.end_leaked(
            world.state()->tenant.id, key, id, LeakPolicy::freeze,
            change_event(world.admin(), world.clock.now(), audit_action::update, "", "", "")));
        if (by_revocation) {
            ASSERT_TRUE(world.revocations.end_secret(world.admin(), key.id, id));
        } else {
            ASSERT_TRUE(world.secrets.replace(world.admin(), key, 0));
        }
        EXPECT_EQ(world.secrets.restore(world.admin(), key, id).error().code(),
                  ErrorCode::conflict);
        add();
    }
}

TEST_F(KeySecretsTest, WhatChangesNothingIsNoEvent) {
    const auto events = [&] {
        return testing::payloads_of(world.store, world.state()->tenant.id).size();
    };
    const std::size_t before = events();
    EXPECT_TRUE(world.secrets.retire(world.admin(), key, {})->empty());
    EXPECT_TRUE(world.secrets.restore(world.admin(), key, all().front().id));
    EXPECT_EQ(events(), before);
}

TEST_F(KeySecretsTest, AnAccessKeyHasSecretsOfItsOwn) {
    const Caller owner = world.admin();
    const NewAccessKey made = *world.keys.create(owner, "laptop");
    const KeyName laptop{PrincipalKind::user, made.key.id.value, KeyReach::own};
    const NewSecret second = *world.secrets.add(world.admin(), laptop, {});
    const std::string with_first = token_with(made.key.client_id, made.client_secret);
    const std::string with_second = token_with(made.key.client_id, second.text);
    EXPECT_TRUE(is_good(with_first));
    const auto first = world.secrets.all(world.admin(), laptop)->front().id;
    ASSERT_TRUE(world.revocations.end_secret(world.admin(), laptop.id, first));
    EXPECT_FALSE(is_good(with_first));
    EXPECT_TRUE(is_good(with_second));
    // Another user's is as if absent.
    const NewServiceAccount other = *world.accounts.create(world.admin(), "other");
    EXPECT_EQ(world.secrets.all(world.account(other), laptop).error().code(), ErrorCode::not_found);
    EXPECT_EQ(world.secrets.add(world.account(other), laptop, {}).error().code(),
              ErrorCode::not_found);
    const auto uses = *world.secrets.uses(world.admin(), laptop);
    EXPECT_EQ(uses.size(), 2U);
}

TEST_F(KeySecretsTest, UsesAreCountedByDay) {
    token_with(robot.client_secret);
    token_with(robot.client_secret);
    ASSERT_TRUE(world.secret_uses.flush(world.store));
    token_with(robot.client_secret);
    auto uses = *world.secrets.uses(world.admin(), key);
    ASSERT_EQ(uses.size(), 1U);
    EXPECT_EQ(uses.front().count, 3U);
    EXPECT_EQ(uses.front().user_agent, "test/1");
    world.clock.advance_seconds(day);
    token_with(robot.client_secret);
    ASSERT_TRUE(world.secret_uses.flush(world.store));
    uses = *world.secrets.uses(world.admin(), key);
    EXPECT_EQ(uses.front().count, 1U);
    EXPECT_EQ(uses.front().at, world.clock.now());
}

TEST_F(KeySecretsTest, AfterARestartTheSecretsAreWhatTheyWere) {
    const NewSecret second = add({{}, day});
    ASSERT_EQ(told(world.secrets.retire(world.admin(), key, {all().front().id, 0, true})), "done");
    Directory again(world.vault, "127.0.0.1", world.log);
    ASSERT_TRUE(again.attach(world.memory));
    const auto state = again.current()->tenants.front();
    const auto kept = state->accounts.find(key.id)->secrets.all();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_TRUE(kept.front().retired_at);
    EXPECT_EQ(kept.back().id, second.row.id);
}

} // namespace
} // namespace claviger
