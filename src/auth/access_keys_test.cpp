// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::World;

class AccessKeyTest : public ::testing::Test {
protected:
    World world;

    NewAccessKey make(std::string_view name) { return *world.keys.create(world.admin(), name); }

    GrantOutcome grant(const NewAccessKey& made) {
        return grant(made.key.client_id, made.client_secret);
    }
    GrantOutcome grant(std::string_view client_id, const Secret& secret) {
        return world.grants.client_credentials(*world.state(), client_id, secret.reveal(),
                                               World::origin(), {});
    }
    Judged<Principal> verify(const std::string& token) {
        return world.verifier.verify(*world.state(), token, AcceptedTokens::access_tokens,
                                     "192.0.2.1");
    }
    std::size_t count() { return world.state()->access_keys.size(); }

    /// A user beside the administrator.
    Caller add_user(const std::string& email) {
        User user;
        user.id = {world.state()->tenant.id, Uuid::make(world.random)};
        user.email = email;
        EXPECT_TRUE(world.store.write(
            [&](Transaction& transaction) { return transaction.users().put(user); }));
        Caller caller;
        caller.state = world.state();
        caller.principal = {PrincipalKind::user, user.id.value, user.email};
        return caller;
    }
};

TEST_F(AccessKeyTest, GiveTokensOfTheirOwner) {
    const NewAccessKey made = make("laptop");
    EXPECT_EQ(made.key.client_id.size(), 19U);
    EXPECT_TRUE(made.key.client_id.starts_with("ak-"));
    EXPECT_EQ(made.key.client_id.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 3),
              std::string::npos);
    EXPECT_TRUE(made.client_secret.reveal().starts_with("clvk_"));
    const GrantOutcome granted = grant(made);
    ASSERT_TRUE(granted.result);
    const auto principal = verify(granted.result->access_token);
    ASSERT_TRUE(principal);
    EXPECT_EQ(principal->name, testing::admin_email);
    EXPECT_EQ(principal->kind, PrincipalKind::user);
    EXPECT_EQ(principal->access_key, made.key.id.value);
    EXPECT_FALSE(grant("ak-aaaaaaaaaaaaaaaa", made.client_secret).result);
    EXPECT_FALSE(grant(testing::admin_email, made.client_secret).result);
}

TEST_F(AccessKeyTest, BelongToUsersOnly) {
    const NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");
    const auto refused = world.keys.create(world.account(account), "persist");
    EXPECT_EQ(refused.error().code(), ErrorCode::access_denied);
    EXPECT_EQ(count(), 0U);
}

TEST_F(AccessKeyTest, HaveANameThatIsGoodAndUniqueAmongTheOwners) {
    for (const char* name : {"A1", "a", "1a", "a-", "a b", "", "a\n"}) {
        EXPECT_EQ(world.keys.create(world.admin(), name).error().code(), ErrorCode::invalid_request)
            << name;
    }
    make("k1");
    EXPECT_EQ(world.keys.create(world.admin(), "k1").error().code(), ErrorCode::conflict);
    const Caller other = add_user("other@example.com");
    EXPECT_TRUE(world.keys.create(other, "k1"));
    EXPECT_EQ(count(), 2U);
}

TEST_F(AccessKeyTest, AreAtMostTwentyOfAUserHoweverManyAskAtOnce) {
    std::atomic<int> made = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            for (int j = 0; j < 10; ++j) {
                const auto key = world.keys.create(world.admin(), "k" + std::to_string(i) + "-" +
                                                                      std::to_string(j));
                ++(key ? made : refused);
                EXPECT_TRUE(key || key.error().code() == ErrorCode::invalid_request);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(made, 20);
    EXPECT_EQ(refused, 20);
    EXPECT_EQ(count(), 20U);
    Uuid first;
    world.state()->access_keys.for_each([&](const AccessKey& key) { first = key.id.value; });
    ASSERT_TRUE(world.keys.remove(world.admin(), first, KeyReach::own));
    EXPECT_TRUE(world.keys.create(world.admin(), "again")) << "there is room again";
}

TEST_F(AccessKeyTest, EndTheirTokensAtOnceWhenTheyChange) {
    const NewAccessKey made = make("laptop");
    std::string token = grant(made).result->access_token;
    const Secret fresh = *world.secrets.replace(
        world.admin(), {PrincipalKind::user, made.key.id.value, KeyReach::own}, 0);
    EXPECT_FALSE(verify(token)) << "in the same second";
    EXPECT_FALSE(grant(made).result) << "the old secret";
    const GrantOutcome again = grant(made.key.client_id, fresh);
    ASSERT_TRUE(again.result);
    token = again.result->access_token;
    EXPECT_TRUE(verify(token));
    ASSERT_TRUE(world.keys.remove(world.admin(), made.key.id.value, KeyReach::own));
    EXPECT_FALSE(verify(token));
    EXPECT_FALSE(grant(made.key.client_id, fresh).result);
    EXPECT_EQ(
        world.secrets
            .replace(world.admin(), {PrincipalKind::user, made.key.id.value, KeyReach::own}, 0)
            .error()
            .code(),
        ErrorCode::not_found);
    EXPECT_EQ(world.keys.remove(world.admin(), made.key.id.value, KeyReach::tenant).error().code(),
              ErrorCode::not_found);
    EXPECT_NE(make("laptop").key.client_id, made.key.client_id);
}

TEST_F(AccessKeyTest, AreNotFoundByOthers) {
    const NewAccessKey made = make("laptop");
    const Uuid id = made.key.id.value;
    const Caller other = add_user("other@example.com");
    Caller account = world.account(*world.accounts.create(world.admin(), "ci-1"));
    account.principal.id = world.admin().principal.id; // not even with the owner's id
    for (const Caller& caller : {other, account}) {
        EXPECT_EQ(world.secrets.replace(caller, {PrincipalKind::user, id, KeyReach::own}, 0)
                      .error()
                      .code(),
                  ErrorCode::not_found);
        EXPECT_EQ(world.keys.remove(caller, id, KeyReach::own).error().code(),
                  ErrorCode::not_found);
    }
    ASSERT_TRUE(world.add_tenant("other", "b.example"));
    EXPECT_EQ(world.keys.remove(world.admin("other"), id, KeyReach::tenant).error().code(),
              ErrorCode::not_found);
    EXPECT_TRUE(grant(made).result);
    EXPECT_TRUE(world.keys.remove(other, id, KeyReach::tenant)) << "an administrator of keys";
    EXPECT_EQ(count(), 0U);
}

TEST_F(AccessKeyTest, KeepExactlyOneSecretHoweverTheyAreRegenerated) {
    const NewAccessKey made = make("laptop");
    for (int round = 0; round < 20; ++round) {
        std::array<std::optional<Secret>, 2> secrets;
        std::array<std::thread, 2> threads;
        for (std::size_t i = 0; i < threads.size(); ++i) {
            threads[i] = std::thread([&, i] {
                secrets[i] = *world.secrets.replace(
                    world.admin(), {PrincipalKind::user, made.key.id.value, KeyReach::own}, 0);
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        EXPECT_NE(grant(made.key.client_id, *secrets[0]).result.has_value(),
                  grant(made.key.client_id, *secrets[1]).result.has_value());
    }
}

TEST_F(AccessKeyTest, NeverWorkOnceTheyAreDeletedWhateverRunsBeside) {
    for (int round = 0; round < 20; ++round) {
        const NewAccessKey made = make("laptop");
        std::optional<Secret> fresh;
        std::thread regenerating([&] {
            if (auto secret = world.secrets.replace(
                    world.admin(), {PrincipalKind::user, made.key.id.value, KeyReach::own}, 0)) {
                fresh = *std::move(secret);
            }
        });
        EXPECT_TRUE(world.keys.remove(world.admin(), made.key.id.value, KeyReach::own));
        regenerating.join();
        EXPECT_FALSE(grant(made).result);
        EXPECT_FALSE(fresh && grant(made.key.client_id, *fresh).result);
    }
}

TEST_F(AccessKeyTest, AreChangedWhollyOrNotAtAll) {
    const NewAccessKey made = make("laptop");
    const Uuid id = made.key.id.value;
    const auto calls_of = [&](const auto& change) {
        for (std::uint64_t call = 1;; ++call) {
            world.store.fail_call(call);
            if (change()) {
                world.store.fail_call(0);
                return call - 1;
            }
            EXPECT_EQ(count(), 1U) << "call " << call;
            EXPECT_TRUE(grant(made).result) << "call " << call;
        }
    };
    const Caller admin = world.admin();
    std::optional<NewAccessKey> second;
    EXPECT_EQ(calls_of([&] {
                  auto created = world.keys.create(admin, "second");
                  second = created ? std::optional(*std::move(created)) : std::nullopt;
                  return second.has_value();
              }),
              2U)
        << "the row and the change event";
    ASSERT_TRUE(world.keys.remove(admin, second->key.id.value, KeyReach::own));
    EXPECT_EQ(calls_of([&] {
                  return world.secrets.replace(admin, {PrincipalKind::user, id, KeyReach::own}, 0)
                      .has_value();
              }),
              3U)
        << "also the entry of the feed: tokens end";
    EXPECT_FALSE(grant(made).result);
    const NewAccessKey third = make("third");
    world.store.fail_call(2);
    EXPECT_FALSE(world.keys.remove(admin, third.key.id.value, KeyReach::own));
    world.store.fail_call(0);
    EXPECT_TRUE(grant(third).result);
}

} // namespace
} // namespace claviger
