// SPDX-License-Identifier: Apache-2.0
#include "verifier/ended_tokens.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

namespace claviger::offline {
namespace {

constexpr std::int64_t now = 1'800'000'000; // where FakeClock begins
constexpr const char* later = "1800003600";

boost::json::object facts_of(std::string text) {
    const std::string mark = "LATER";
    if (const auto at = text.find(mark); at != std::string::npos) {
        text.replace(at, mark.size(), later);
    }
    return boost::json::parse(text).as_object();
}

EndedTokens after(const std::string& kind, const std::string& facts) {
    EndedTokens ended;
    EXPECT_TRUE(ended.apply("urn:claviger:event:" + kind, facts_of(facts)));
    return ended;
}

const TokenNames client{"j1", "sa:1", "ci", "", 3, 2, now};
const TokenNames key{"j2", "user:1", "ak-1", "", 3, 2, now};
const TokenNames session{"j3", "user:1", "runai-cli", "s1", 3, 0, now};

TEST(EndedTokens, EachEntryEndsWhatItSays) {
    struct Case {
        const char* kind;
        const char* facts;
        bool client, key, session;
    };
    const Case cases[] = {
        {"token-revoked", R"({"jti":"j1","until":LATER})", true, false, false},
        {"session-revoked", R"({"sid":"s1","until":LATER})", false, false, true},
        {"key-revoked", R"({"client_id":"ak-1","epoch":4,"active":true,"until":LATER})", false,
         true, false},
        {"key-revoked", R"({"client_id":"ak-1","epoch":3,"active":true,"until":LATER})", false,
         false, false},
        {"key-revoked", R"({"client_id":"ak-1","epoch":3,"active":false,"until":LATER})", false,
         true, false},
        {"principal-revoked", R"({"sub":"sa:1","epoch":4,"active":true,"until":LATER})", true,
         false, false},
        {"principal-revoked", R"({"sub":"user:1","epoch":4,"active":true,"until":LATER})", false,
         false, true},
        {"principal-revoked", R"({"sub":"user:1","epoch":3,"active":false,"until":LATER})", false,
         true, true},
        {"secret-revoked", R"({"client_id":"ci","secret":2,"until":LATER})", true, false, false},
        {"secret-revoked", R"({"client_id":"ci","secret":3,"until":LATER})", false, false, false},
        {"tenant-revoked", R"({"not_before":1800000001,"until":LATER})", true, true, true},
        {"tenant-revoked", R"({"not_before":1800000000,"until":LATER})", false, false, false},
        {"rules-changed", R"({"revision":3,"until":LATER})", false, false, false},
        {"of-a-later-server", "{}", false, false, false},
    };
    for (const Case& each : cases) {
        const EndedTokens ended = after(each.kind, each.facts);
        EXPECT_EQ(ended.holds(client), each.client) << each.kind << each.facts;
        EXPECT_EQ(ended.holds(key), each.key) << each.kind << each.facts;
        EXPECT_EQ(ended.holds(session), each.session) << each.kind << each.facts;
    }
}

TEST(EndedTokens, LaterEntriesReplaceEarlierOnesAndAreForgottenInTime) {
    EndedTokens ended =
        after("principal-revoked", R"({"sub":"sa:1","epoch":3,"active":false,"until":LATER})");
    EXPECT_TRUE(ended.holds(client));
    ASSERT_TRUE(ended.apply("urn:claviger:event:principal-revoked",
                            facts_of(R"({"sub":"sa:1","epoch":3,"active":true,"until":LATER})")));
    EXPECT_FALSE(ended.holds(client));
    ASSERT_TRUE(
        ended.apply("urn:claviger:event:token-revoked", facts_of(R"({"jti":"j1","until":LATER})")));
    ended.forget(now + 3599);
    EXPECT_TRUE(ended.holds(client));
    ended.forget(now + 3600);
    EXPECT_EQ(ended.size(), 0U);
}

TEST(EndedTokens, MalformedEntriesAreErrors) {
    for (const auto& [kind, facts] : std::map<std::string, std::string>{
             {"token-revoked", R"({"jti":1,"until":1})"},
             {"session-revoked", R"({"sid":"x"})"},
             {"key-revoked", R"({"client_id":"x","epoch":4294967296,"active":true,"until":1})"},
             {"principal-revoked", R"({"sub":"x","epoch":-1,"active":true,"until":1})"},
             {"secret-revoked", R"({"client_id":"x","until":1})"},
             {"tenant-revoked", R"({"not_before":"1"})"}}) {
        EndedTokens ended;
        EXPECT_FALSE(ended.apply("urn:claviger:event:" + kind, facts_of(facts))) << kind;
    }
    EXPECT_FALSE(EndedTokens().apply("token-revoked", {})) << "not our name";
}

TEST(FeedState, KnowsGapsAndTheLease) {
    FakeClock clock;
    FeedState feed(clock, 60'000);
    EXPECT_TRUE(feed.is_stale());
    EXPECT_FALSE(feed.has_begun());
    feed.reset({}, 7);
    const auto facts = facts_of(R"({"jti":"j1","until":LATER})");
    const std::string event = "urn:claviger:event:token-revoked";
    EXPECT_EQ(feed.apply(9, event, facts), false) << "8 is missing";
    EXPECT_FALSE(feed.has_ended(client));
    EXPECT_EQ(feed.apply(7, event, facts), true) << "heard before";
    EXPECT_FALSE(feed.has_ended(client));
    EXPECT_EQ(feed.apply(8, event, facts), true);
    EXPECT_TRUE(feed.has_ended(client));
    EXPECT_EQ(feed.number(), 8U);
    clock.advance_seconds(60);
    EXPECT_FALSE(feed.is_stale());
    clock.advance_seconds(1);
    EXPECT_TRUE(feed.is_stale());
    feed.hear();
    EXPECT_FALSE(feed.is_stale());
}

} // namespace
} // namespace claviger::offline
