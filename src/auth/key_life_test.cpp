// SPDX-License-Identifier: Apache-2.0
// The life cycle without a store: every transition, one second before its time and at it.
#include "auth/key_life.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace claviger {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Timestamp start = Timestamp::from_seconds(1'800'000'000);
constexpr std::int64_t interval = 2'592'000;

/// One tenant's keys; each round takes the due steps and makes what is wanted.
class KeyLifeTest : public ::testing::Test {
protected:
    KeyLifeTest() { take(due_steps(keys_, settings_, now_)); }

    void take(const KeySteps& steps) {
        for (const SigningKey& row : steps.changed) {
            *std::ranges::find(keys_, row.kid, &SigningKey::kid) = row;
        }
        for (const WantedKey& wanted : steps.wanted) {
            SigningKey key;
            key.kid = "kid-" + std::to_string(keys_.size());
            key.purpose = wanted.purpose;
            key.algorithm = wanted.algorithm;
            key.state = wanted.activates_at <= now_ ? KeyState::active : KeyState::pending;
            key.sealed_private_key = {1};
            key.token_lifetime_seconds = settings_.lifetime_seconds;
            key.created_at = now_;
            key.activates_at = wanted.activates_at;
            keys_.push_back(key);
        }
    }
    void pass(std::int64_t seconds) {
        now_ = now_.plus_seconds(seconds);
        take(due_steps(keys_, settings_, now_));
    }
    void rotate() {
        const auto steps = rotation_steps(keys_, settings_, now_);
        ASSERT_TRUE(steps) << steps.error().detail();
        take(*steps);
    }
    void burn(const std::string& kid) {
        const auto steps = burn_steps(keys_, settings_, kid, now_);
        ASSERT_TRUE(steps) << steps.error().detail();
        take(*steps);
    }

    /// The access-token keys in this state.
    std::vector<std::string> in(KeyState state) const {
        std::vector<std::string> kids;
        for (const SigningKey& key : keys_) {
            if (key.state == state && key.purpose == KeyPurpose::access_token) {
                kids.push_back(key.kid);
            }
        }
        return kids;
    }
    const SigningKey& key(std::string_view kid) const {
        return *std::ranges::find(keys_, kid, &SigningKey::kid);
    }

    TokenSettings settings_;
    Timestamp now_ = start;
    std::vector<SigningKey> keys_;
};

TEST_F(KeyLifeTest, TheFirstKeysOfEachPurposeAreActiveAtOnce) {
    ASSERT_EQ(keys_.size(), 3U);
    EXPECT_NE(keys_[0].purpose, keys_[1].purpose);
    EXPECT_NE(keys_[1].purpose, keys_[2].purpose);
    EXPECT_NE(keys_[2].purpose, keys_[0].purpose);
    for (const SigningKey& key : keys_) {
        EXPECT_EQ(key.state, KeyState::active);
    }
    EXPECT_TRUE(due_steps(keys_, settings_, now_).empty());
}

TEST_F(KeyLifeTest, ASuccessorIsPublishedInTimeAndFollowsOnTheSecond) {
    pass(interval - key_lead_seconds - 1);
    EXPECT_THAT(in(KeyState::pending), IsEmpty());
    pass(1);
    ASSERT_THAT(in(KeyState::pending), UnorderedElementsAre("kid-3"));
    EXPECT_EQ(key("kid-3").activates_at, start.plus_seconds(interval));
    EXPECT_TRUE(is_published(key("kid-3"), now_));
    EXPECT_FALSE(may_sign(key("kid-3"), now_));

    pass(key_lead_seconds - 1);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0"));
    pass(1);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-3"));
    EXPECT_THAT(in(KeyState::retiring), UnorderedElementsAre("kid-0"));
    EXPECT_EQ(key("kid-0").retired_at, now_);
}

TEST_F(KeyLifeTest, ARetiringKeyIsPublishedAsLongAsItsLastTokenLives) {
    rotate();
    pass(key_lead_seconds);
    ASSERT_THAT(in(KeyState::retiring), UnorderedElementsAre("kid-0"));
    pass(settings_.lifetime_seconds + clock_skew_seconds - 1);
    EXPECT_TRUE(is_published(key("kid-0"), now_));
    EXPECT_FALSE(is_published(key("kid-0"), now_.plus_seconds(1))) << "also before it is on record";
    pass(1);
    EXPECT_THAT(in(KeyState::gone), UnorderedElementsAre("kid-0"));
    EXPECT_THAT(key("kid-0").sealed_private_key, IsEmpty());
    EXPECT_FALSE(key("kid-0").burned_at);
}

TEST_F(KeyLifeTest, AShorterTokenLifetimeDoesNotEndAKeyBeforeItsTokens) {
    settings_.lifetime_seconds = 7200;
    pass(1);
    settings_.lifetime_seconds = 600;
    pass(1);
    rotate();
    pass(key_lead_seconds);
    pass(7200 + clock_skew_seconds - 1);
    EXPECT_THAT(in(KeyState::retiring), UnorderedElementsAre("kid-0"));
    pass(1);
    EXPECT_THAT(in(KeyState::gone), UnorderedElementsAre("kid-0"));
}

TEST_F(KeyLifeTest, APendingKeyWhoseTimeHasComeSignsBeforeThatIsOnRecord) {
    rotate();
    const SigningKey pending = key("kid-3");
    EXPECT_FALSE(may_sign(pending, now_.plus_seconds(key_lead_seconds - 1)));
    EXPECT_TRUE(may_sign(pending, now_.plus_seconds(key_lead_seconds)));
}

TEST_F(KeyLifeTest, AfterALongDowntimeTheOldKeySignsUntilVerifiersKnowTheNewOne) {
    pass(10 * interval);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0"));
    ASSERT_THAT(in(KeyState::pending), UnorderedElementsAre("kid-3"));
    EXPECT_EQ(key("kid-3").activates_at, now_.plus_seconds(key_lead_seconds));
}

TEST_F(KeyLifeTest, ADowntimeOverTheActivationIsMadeUpFor) {
    rotate();
    pass(interval);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-3"));
    EXPECT_EQ(key("kid-0").retired_at, now_) << "it may have signed until now";
    EXPECT_EQ(key("kid-3").activates_at, start.plus_seconds(key_lead_seconds));
}

TEST_F(KeyLifeTest, WithoutAnIntervalNothingIsDue) {
    settings_.key_rotation_seconds = 0;
    pass(100 * interval);
    EXPECT_EQ(keys_.size(), 3U);
}

TEST_F(KeyLifeTest, AClockThatIsSetBackChangesNothing) {
    rotate();
    pass(key_lead_seconds);
    const auto active = in(KeyState::active);
    now_ = start.plus_seconds(-10 * interval);
    EXPECT_TRUE(due_steps(keys_, settings_, now_).empty());
    EXPECT_TRUE(may_sign(key(active.front()), now_));
}

TEST_F(KeyLifeTest, RotatingTwiceMakesOneSuccessor) {
    rotate();
    rotate();
    EXPECT_THAT(in(KeyState::pending), UnorderedElementsAre("kid-3"));
}

TEST_F(KeyLifeTest, TheSetHoldsAtMost64Keys) {
    settings_.lifetime_seconds = 86'400;
    Result<KeySteps> steps;
    for (int round = 0; round < 40; ++round) {
        steps = rotation_steps(keys_, settings_, now_);
        if (!steps) {
            break;
        }
        take(*steps);
        pass(key_lead_seconds);
        EXPECT_LE(std::ranges::count_if(
                      keys_, [&](const SigningKey& key) { return is_published(key, now_); }),
                  64);
    }
    ASSERT_FALSE(steps);
    EXPECT_EQ(steps.error().code(), ErrorCode::conflict);
    EXPECT_EQ(std::ranges::count_if(keys_,
                                    [&](const SigningKey& key) { return is_published(key, now_); }),
              63)
        << "another one for each of the three purposes would be too many";
    pass(86'400);
    EXPECT_TRUE(rotation_steps(keys_, settings_, now_)) << "those before are gone";
}

TEST_F(KeyLifeTest, AnotherAlgorithmTakesOverOnceVerifiersHaveSeenIt) {
    settings_.algorithm = SigningAlgorithm::rs256;
    pass(1);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0"));
    EXPECT_THAT(in(KeyState::pending), UnorderedElementsAre("kid-3"));
    pass(key_lead_seconds - 1);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0"));
    pass(1);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-3"));
    EXPECT_THAT(in(KeyState::retiring), UnorderedElementsAre("kid-0"));
}

TEST_F(KeyLifeTest, APendingKeyOfAnAlgorithmNoLongerInUseIsGone) {
    settings_.algorithm = SigningAlgorithm::rs256;
    pass(1);
    settings_.algorithm = SigningAlgorithm::es256;
    pass(1);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0"));
    EXPECT_THAT(in(KeyState::pending), IsEmpty());
    EXPECT_THAT(in(KeyState::gone), UnorderedElementsAre("kid-3"));
}

TEST_F(KeyLifeTest, ACommandThatDoesNotKnowTheServersAlgorithmEndsNoKey) {
    settings_.algorithm = SigningAlgorithm::rs256; // the server's is ES256
    rotate();
    now_ = now_.plus_seconds(key_lead_seconds);
    rotate();
    EXPECT_EQ(key("kid-0").state, KeyState::active);
    EXPECT_EQ(key("kid-1").state, KeyState::active);
}

TEST_F(KeyLifeTest, EachAlgorithmInUseHasItsOwnSuccession) {
    settings_.audience_algorithms["files"] = SigningAlgorithm::rs256;
    pass(1);
    pass(key_lead_seconds);
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0", "kid-3"));
    rotate();
    EXPECT_EQ(in(KeyState::pending).size(), 2U);
    pass(key_lead_seconds);
    EXPECT_EQ(in(KeyState::active).size(), 2U);
    EXPECT_THAT(in(KeyState::retiring), UnorderedElementsAre("kid-0", "kid-3"));
}

TEST_F(KeyLifeTest, ABurnedKeyIsGoneAndAnotherActiveAtOnce) {
    pass(5);
    burn("kid-0");
    EXPECT_EQ(key("kid-0").state, KeyState::gone);
    EXPECT_EQ(key("kid-0").burned_at, now_);
    EXPECT_THAT(key("kid-0").sealed_private_key, IsEmpty());
    EXPECT_FALSE(is_published(key("kid-0"), now_));
    ASSERT_THAT(in(KeyState::active), UnorderedElementsAre("kid-3"));
    EXPECT_EQ(key("kid-3").activates_at, now_);
    EXPECT_EQ(keys_.size(), 4U) << "the keys of other purposes stay";
}

TEST_F(KeyLifeTest, TheSuccessorThatWasPublishedTakesTheBurnedKeysPlace) {
    rotate();
    burn("kid-0");
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-3"));
    EXPECT_EQ(key("kid-3").activates_at, now_);
    EXPECT_EQ(keys_.size(), 6U) << "none was made";
}

TEST_F(KeyLifeTest, ABurnedKeyOfOneOfTwoAlgorithmsHasASuccessorOfItsOwn) {
    settings_.audience_algorithms["files"] = SigningAlgorithm::rs256;
    pass(1);
    pass(key_lead_seconds);
    burn("kid-3");
    ASSERT_EQ(in(KeyState::active).size(), 2U);
    const SigningKey& made = key(in(KeyState::active).back());
    EXPECT_EQ(made.algorithm, SigningAlgorithm::rs256);
    EXPECT_EQ(made.activates_at, now_);
}

TEST_F(KeyLifeTest, BurningOneThatDoesNotSignLeavesTheActiveOne) {
    rotate();
    burn("kid-3");
    EXPECT_THAT(in(KeyState::active), UnorderedElementsAre("kid-0"));
    rotate();
    pass(key_lead_seconds);
    burn("kid-0");
    EXPECT_EQ(in(KeyState::active).size(), 1U);
    EXPECT_THAT(in(KeyState::retiring), IsEmpty());
}

TEST_F(KeyLifeTest, OnlyAKeyThatIsThereIsBurned) {
    EXPECT_EQ(burn_steps(keys_, settings_, "kid-9", now_).error().code(), ErrorCode::not_found);
    burn("kid-0");
    EXPECT_EQ(burn_steps(keys_, settings_, "kid-0", now_).error().code(), ErrorCode::conflict);
}

TEST(AlgorithmTest, IsThatOfTheAudienceElseTheUsualOne) {
    TokenSettings settings;
    settings.audience_algorithms["files"] = SigningAlgorithm::rs256;
    EXPECT_EQ(algorithm_for(settings, "files"), SigningAlgorithm::rs256);
    EXPECT_EQ(algorithm_for(settings, "file"), SigningAlgorithm::es256);
    EXPECT_THAT(algorithms_in_use(settings),
                ::testing::ElementsAre(SigningAlgorithm::es256, SigningAlgorithm::rs256));
    settings.audience_algorithms["runai"] = SigningAlgorithm::es256;
    EXPECT_EQ(algorithms_in_use(settings).size(), 2U);
}

} // namespace
} // namespace claviger
