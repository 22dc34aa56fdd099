// SPDX-License-Identifier: Apache-2.0
// Signing keys in the store and in memory, as tokens and the audit log see them.
#include "auth/signing_keys.h"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/test_world.h"
#include "jose/jwt.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SigningKeysTest : public ::testing::Test {
protected:
    TenantId tenant() const { return world.state()->tenant.id; }

    std::string issue() {
        const auto outcome = world.grant(account);
        EXPECT_TRUE(outcome.result);
        return outcome.result ? outcome.result->access_token : std::string();
    }
    bool is_good(const std::string& token) const {
        return world.verifier
            .verify(*world.state(), token, AcceptedTokens::access_tokens, "192.0.2.1")
            .has_value();
    }
    static std::string kid_of(const std::string& token) { return parse_jwt(token)->kid; }

    std::vector<SigningKey> in(KeyState state) {
        auto keys = *world.signing_keys.list(tenant());
        std::erase_if(keys, [&](const SigningKey& key) {
            return key.state != state || key.purpose != KeyPurpose::access_token;
        });
        return keys;
    }
    std::string key_set() const { return world.state()->keys.jwk_set(world.clock.now()); }
    /// Of the first tenant, since it was made.
    std::vector<std::string> key_events() {
        auto events = payloads_of(world.store, tenant());
        std::erase_if(events, [](const std::string& event) {
            return event.find("signing-key") == std::string::npos;
        });
        return events;
    }
    void run() { ASSERT_TRUE(world.signing_keys.run()); }

    World world;
    NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");
};

TEST_F(SigningKeysTest, ARotationGoesThroughAllStatesAndEachIsOnRecord) {
    const std::string old = issue();
    const auto pending = *world.signing_keys.rotate(tenant());
    ASSERT_THAT(pending, SizeIs(3)) << "one of each purpose";
    const std::string next = in(KeyState::pending).front().kid;
    EXPECT_THAT(key_set(), AllOf(HasSubstr(next), HasSubstr(kid_of(old))));
    EXPECT_EQ(kid_of(issue()), kid_of(old));

    world.clock.advance_seconds(key_lead_seconds);
    EXPECT_EQ(kid_of(issue()), next) << "on time, before it is on record";
    run();
    EXPECT_EQ(kid_of(issue()), next);
    EXPECT_TRUE(is_good(old));

    world.clock.advance_seconds(3600 + clock_skew_seconds);
    run();
    EXPECT_THAT(key_set(), ::testing::Not(HasSubstr(kid_of(old))));
    EXPECT_THAT(in(KeyState::gone), SizeIs(1));
    const auto says = [](const std::string& state) {
        return HasSubstr("\"state\":\"" + state + "\"");
    };
    const auto events = key_events();
    EXPECT_EQ(events.size(), 12U) << "four of each of three keys";
    for (const char* state : {"pending", "active", "retiring", "gone"}) {
        EXPECT_THAT(events, ::testing::Contains(says(state)).Times(3)) << state;
    }
    EXPECT_TRUE(verify_audit(world.store, world.events, tenant())->intact());
}

TEST_F(SigningKeysTest, NoKidIsTakenForAFlag) {
    for (int i = 0; i < 300; ++i) { // one in 64 would begin so
        const auto key = world.vault.generate(tenant(), WantedKey{}, world.settings, {});
        ASSERT_TRUE(key.has_value());
        ASSERT_FALSE(key->kid.starts_with('-'));
    }
}

TEST_F(SigningKeysTest, NothingIsWrittenWhileNothingIsDue) {
    world.store.fail_call(0);
    run();
    EXPECT_EQ(world.store.calls(), 0U);
}

TEST_F(SigningKeysTest, ATenMonthsRunWithAStepADayNeverBreaksAToken) {
    std::vector<std::pair<Timestamp, std::string>> out; // tokens with their ends
    for (int day = 0; day < 300; ++day) {
        run();
        out.emplace_back(world.clock.now().plus_seconds(3600), issue());
        world.clock.advance_seconds(1800);
        run();
        EXPECT_TRUE(is_good(out.back().second)) << day;
        world.clock.advance_seconds(86'400 - 1800);
    }
    const auto keys = *world.signing_keys.list(tenant());
    EXPECT_GE(keys.size(), 20U);
    EXPECT_LE(world.state()->keys.keys().size(), 4U);
}

TEST_F(SigningKeysTest, ABurnedKeysTokensAreRefusedAtOnceAlsoWhenTheyWereKnown) {
    const std::string token = issue();
    ASSERT_TRUE(is_good(token)); // it is remembered now
    const auto burned = world.signing_keys.burn(tenant(), kid_of(token));
    ASSERT_TRUE(burned) << burned.error().detail();
    EXPECT_FALSE(is_good(token));
    ASSERT_THAT(burned->successors, SizeIs(1));
    const std::string next = issue();
    EXPECT_EQ(kid_of(next), burned->successors.front().kid);
    EXPECT_TRUE(is_good(next));
    EXPECT_THAT(burned->affected, ElementsAre("ci-1"));
    EXPECT_THAT(key_events(), Contains(AllOf(HasSubstr("burned"), HasSubstr(kid_of(token)),
                                             HasSubstr("operator"))));
}

TEST_F(SigningKeysTest, TheRowOfABurnedKeySaysSoAfterARestart) {
    const std::string token = issue();
    ASSERT_TRUE(world.signing_keys.burn(tenant(), kid_of(token)));
    Directory reloaded(world.vault, "127.0.0.1", world.log);
    ASSERT_TRUE(reloaded.attach(world.store));
    const auto state = reloaded.current()->find(tenant());
    EXPECT_FALSE(verify_jwt(*state, world.settings, token, AcceptedTokens::access_tokens,
                            world.clock.now()));
    const auto gone = in(KeyState::gone);
    ASSERT_THAT(gone, SizeIs(1));
    EXPECT_EQ(gone.front().kid, kid_of(token));
    EXPECT_EQ(gone.front().burned_at, world.clock.now());
    EXPECT_THAT(gone.front().sealed_private_key, IsEmpty());
}

TEST_F(SigningKeysTest, OnlyWhoGotATokenOfItIsAffectedByABurn) {
    const std::string first = issue();
    ASSERT_TRUE(world.accounts.create(world.admin(), "idle"));
    ASSERT_TRUE(world.sign_in().result);
    world.clock.advance_seconds(3601);
    const NewServiceAccount later = *world.accounts.create(world.admin(), "later");
    ASSERT_TRUE(world.grant(later).result);
    EXPECT_THAT(world.signing_keys.burn(tenant(), kid_of(first))->affected, ElementsAre("later"));
}

TEST_F(SigningKeysTest, AFailureLeavesEverythingAsItWas) {
    const std::string token = issue();
    for (std::uint64_t call = 1;; ++call) {
        world.store.fail_call(call);
        const auto burned = world.signing_keys.burn(tenant(), kid_of(token));
        const std::uint64_t calls = world.store.calls();
        world.store.fail_call(0);
        if (burned) {
            EXPECT_EQ(call, calls + 1);
            EXPECT_GE(calls, 4U) << "two rows and their events";
            break;
        }
        ASSERT_TRUE(is_good(token)) << call;
        ASSERT_EQ(world.signing_keys.list(tenant())->size(), 3U) << call;
    }
    EXPECT_FALSE(is_good(token));
}

TEST_F(SigningKeysTest, OneTenantsKeysAreNotAnothers) {
    ASSERT_TRUE(world.add_tenant("other", "other.example.com"));
    const TenantId other = world.state("other")->tenant.id;
    const std::string token = issue();
    EXPECT_EQ(world.signing_keys.burn(other, kid_of(token)).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(is_good(token));
    ASSERT_TRUE(world.signing_keys.rotate(other));
    EXPECT_THAT(in(KeyState::pending), IsEmpty());
    EXPECT_EQ(world.signing_keys.list(other)->size(), 6U);
    EXPECT_THAT(key_events(), IsEmpty());
}

TEST_F(SigningKeysTest, RotationsAtOnceMakeOneSuccessor) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const auto done = world.signing_keys.rotate(tenant());
            EXPECT_TRUE(done || done.error().code() == ErrorCode::conflict);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_THAT(in(KeyState::pending), SizeIs(1));
    EXPECT_EQ(world.signing_keys.list(tenant())->size(), 6U);
}

TEST_F(SigningKeysTest, TokensOfAnAudienceHaveItsAlgorithm) {
    world.settings.audience_algorithms["runai"] = SigningAlgorithm::ed25519;
    run();
    EXPECT_EQ(parse_jwt(issue())->algorithm, "ES256") << "until verifiers have seen the key";
    world.clock.advance_seconds(key_lead_seconds);
    const std::string token = issue();
    EXPECT_EQ(parse_jwt(token)->algorithm, "Ed25519");
    EXPECT_TRUE(is_good(token));
    run();
    const auto active = in(KeyState::active);
    ASSERT_THAT(active, SizeIs(2)) << "the usual one is kept";
    const auto now = world.clock.now();
    EXPECT_THAT(world.state()->keys.published_algorithms(KeyPurpose::id_token, now),
                ElementsAre(SigningAlgorithm::es256, SigningAlgorithm::ed25519));
}

TEST_F(SigningKeysTest, ANewTenantHasKeysOfEveryAlgorithmInUse) {
    world.settings.audience_algorithms["runai"] = SigningAlgorithm::ed25519;
    ASSERT_TRUE(world.add_tenant("other", "other.example.com"));
    const auto keys = *world.signing_keys.list(world.state("other")->tenant.id);
    EXPECT_THAT(keys, SizeIs(6));
    EXPECT_TRUE(std::ranges::all_of(
        keys, [](const SigningKey& key) { return key.state == KeyState::active; }));
}

} // namespace
} // namespace claviger
