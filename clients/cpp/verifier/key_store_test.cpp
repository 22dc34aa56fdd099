// SPDX-License-Identifier: Apache-2.0
#include "verifier/key_store.h"

#include <condition_variable>
#include <gmock/gmock.h>
#include <thread>
#include <vector>

#include "verifier/test_issuer.h"

namespace claviger::offline {
namespace {

class KeyStoreTest : public testing::Test {
protected:
    std::string kid() const { return issuer.tokens.public_key().kid(); }
    void rotate() { issuer.tokens = *PrivateKey::generate(JoseAlgorithm::es256, 2048); }

    TestIssuer issuer;
    KeyStore keys{[this] { return issuer.answer(); }, issuer.clock};
};

TEST_F(KeyStoreTest, AsksForAnUnknownKeyOnceInHalfAMinute) {
    EXPECT_FALSE(keys.find(kid()));
    EXPECT_TRUE(keys.find_or_fetch(kid()));
    EXPECT_TRUE(keys.find_or_fetch(kid()));
    EXPECT_EQ(issuer.fetches, 1);
    rotate();
    EXPECT_FALSE(keys.find_or_fetch(kid()));
    issuer.clock.advance_seconds(29);
    EXPECT_FALSE(keys.find_or_fetch(kid()));
    EXPECT_EQ(issuer.fetches, 1);
    issuer.clock.advance_seconds(2);
    EXPECT_TRUE(keys.find_or_fetch(kid()));
    EXPECT_EQ(issuer.fetches, 2);
}

TEST_F(KeyStoreTest, DoesNotAskForWhatIsNotThere) {
    EXPECT_FALSE(keys.find_or_fetch("nobody"));
    issuer.clock.advance_seconds(31);
    EXPECT_FALSE(keys.find_or_fetch("nobody"));
    EXPECT_FALSE(keys.find_or_fetch(""));
    EXPECT_FALSE(keys.find_or_fetch(std::string(200, 'x')));
    EXPECT_EQ(issuer.fetches, 1);
    issuer.clock.advance_seconds(300);
    EXPECT_FALSE(keys.find_or_fetch("nobody"));
    EXPECT_EQ(issuer.fetches, 2);
}

TEST_F(KeyStoreTest, IsDueAfterMaxAgeOrTenMinutes) {
    EXPECT_EQ(keys.due_in_milliseconds(), 0);
    ASSERT_TRUE(keys.load());
    EXPECT_EQ(keys.due_in_milliseconds(), 600'000);
    issuer.max_age = 120;
    ASSERT_TRUE(keys.load());
    EXPECT_EQ(keys.due_in_milliseconds(), 120'000);
    issuer.clock.advance_seconds(121);
    EXPECT_EQ(keys.due_in_milliseconds(), 0);
    issuer.max_age = 0;
    ASSERT_TRUE(keys.load());
    EXPECT_EQ(keys.due_in_milliseconds(), 30'000);
    issuer.max_age = 1'000'000;
    ASSERT_TRUE(keys.load());
    EXPECT_EQ(keys.due_in_milliseconds(), 3'600'000);
}

TEST_F(KeyStoreTest, KeepsItsKeysForADayWithoutTheServer) {
    ASSERT_TRUE(keys.load());
    issuer.status = 503;
    issuer.clock.advance_seconds(24 * 3600);
    EXPECT_FALSE(keys.load());
    EXPECT_TRUE(keys.find(kid()));
    issuer.clock.advance_seconds(1);
    EXPECT_FALSE(keys.find(kid()));
    issuer.status = 200;
    EXPECT_TRUE(keys.find_or_fetch(kid()));
}

TEST_F(KeyStoreTest, ABurnedKeyDoesNotComeBack) {
    ASSERT_TRUE(keys.load());
    keys.burn(kid());
    EXPECT_FALSE(keys.find(kid()));
    ASSERT_TRUE(keys.load());
    EXPECT_FALSE(keys.find(kid()));
    EXPECT_TRUE(keys.find(issuer.events.public_key().kid()));
}

TEST(KeyStoreThreads, ManyWhoAskAtOnceAskOnce) {
    TestIssuer issuer;
    const std::string kid = issuer.tokens.public_key().kid();
    std::mutex mutex;
    std::condition_variable changed;
    int running = 0;
    KeyStore keys(
        [&] {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return running == 8; });
            return issuer.answer();
        },
        issuer.clock);
    std::vector<std::thread> threads;
    std::atomic<int> found = 0;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            {
                const std::lock_guard lock(mutex);
                ++running;
                changed.notify_all();
            }
            found += keys.find_or_fetch(kid) ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(found, 8);
    EXPECT_EQ(issuer.fetches, 1);
}

TEST(PublishedKeys, AreReadInEveryAlgorithmAndOthersAreLeftOut) {
    for (const JoseAlgorithm algorithm :
         {JoseAlgorithm::es256, JoseAlgorithm::rs256, JoseAlgorithm::ed25519}) {
        const TestIssuer issuer(algorithm);
        const auto keys = parse_key_set(issuer.key_set());
        ASSERT_TRUE(keys);
        ASSERT_EQ(keys->size(), 2U);
        EXPECT_EQ(keys->front().key.kid(), issuer.tokens.public_key().kid());
        EXPECT_EQ(keys->front().key.algorithm(), algorithm);
        EXPECT_EQ(keys->front().token_type, access_token_type);
        for (const auto& [member, value] : std::map<std::string, std::string>{
                 {"kid", "another"}, {"alg", "PS256"}, {"use", "enc"}, {"kty", "oct"}}) {
            auto key = TestIssuer::published(issuer.tokens, access_token_type).as_object();
            key[member] = value;
            const auto text = boost::json::serialize(
                boost::json::object{{"keys", boost::json::array{std::move(key)}}});
            EXPECT_EQ(parse_key_set(text)->size(), 0U) << member;
        }
    }
    for (const char* text :
         {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[],"keys":[]})"}) {
        EXPECT_FALSE(parse_key_set(text)) << text;
    }
    EXPECT_FALSE(make_public_key(JoseAlgorithm::es256, Bytes(32), Bytes(32))) << "no point";
    EXPECT_FALSE(make_public_key(JoseAlgorithm::rs256, Bytes(256, 0xFF), Bytes{1})) << "e is 1";
    EXPECT_FALSE(make_public_key(JoseAlgorithm::rs256, Bytes(128, 0xFF), Bytes{1, 0, 1}))
        << "short";
    EXPECT_FALSE(make_public_key(JoseAlgorithm::ed25519, Bytes(31), {}));
}

} // namespace
} // namespace claviger::offline
