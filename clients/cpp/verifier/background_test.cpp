// SPDX-License-Identifier: Apache-2.0
// The library against a server that is made of functions: signed documents, its own sign-in, and
// what the two threads make of answers that real servers rarely give.
#include "verifier/background.h"

#include <gmock/gmock.h>

#include "verifier/test_issuer.h"

namespace claviger::offline {
namespace {

using testing::HasSubstr;

class DocumentTest : public testing::Test {
protected:
    std::string why(const std::string& text) {
        const auto read = reader.read(text, security_event);
        EXPECT_FALSE(read);
        return read ? "" : read.error().detail();
    }
    std::string why_no_snapshot(const std::string& text) {
        const auto read = reader.read_snapshot(text, access_snapshot);
        EXPECT_FALSE(read);
        return read ? "" : read.error().detail();
    }

    TestIssuer issuer;
    KeyStore keys{[this] { return issuer.answer(); }, issuer.clock};
    DocumentReader reader{keys, test_issuer_url};
};

TEST_F(DocumentTest, IsReadWhenEverythingIsRight) {
    const auto read =
        reader.read(issuer.document(security_event, {{"number", "3"}}), security_event);
    ASSERT_TRUE(read) << read.error().detail();
    EXPECT_EQ(read->at("number").as_int64(), 3);
}

TEST_F(DocumentTest, IsRefusedForAnyOtherReason) {
    EXPECT_THAT(why("a.b.c"), HasSubstr("malformed"));
    EXPECT_THAT(why(issuer.document(access_snapshot, {})), HasSubstr("another kind"));
    EXPECT_THAT(why(issuer.document(security_event, {{"iss", R"("https://x.example")"}})),
                HasSubstr("another issuer"));
    EXPECT_THAT(
        why(issuer.document(security_event, {{"aud", R"("urn:claviger:access-snapshot")"}})),
        HasSubstr("somebody else"));
    EXPECT_THAT(why(issuer.document(security_event, {{"iat", "null"}})), HasSubstr("natural"));
    EXPECT_THAT(why(TestIssuer::sign(issuer.tokens, {}, security_event.type)),
                HasSubstr("another kind"))
        << "keys of tokens sign no documents";
    const TestIssuer stranger;
    const int fetches = issuer.fetches;
    EXPECT_THAT(why(stranger.document(security_event, {})), HasSubstr("no published key"));
    EXPECT_EQ(issuer.fetches, fetches + 1) << "the key may be new";
    std::string changed = issuer.document(security_event, {});
    changed.back() = changed.back() == 'A' ? 'Q' : 'A';
    EXPECT_THAT(why(changed), HasSubstr("signature"));
}

TEST_F(DocumentTest, ASnapshotIsComplete) {
    const auto read =
        reader.read_snapshot(issuer.snapshot(access_snapshot, 9, {{}, {}, {}}), access_snapshot);
    ASSERT_TRUE(read) << read.error().detail();
    EXPECT_EQ(read->number, 9);
    EXPECT_EQ(read->parts.size(), 3U);
    for (const char* text : {"", "[]", "{}", R"({"number":9,"parts":[]})",
                             R"({"number":9,"parts":[1]})", R"({"parts":["a.b.c"]})"}) {
        why_no_snapshot(text);
    }
    auto answer = boost::json::parse(issuer.snapshot(access_snapshot, 9, {{}, {}, {}})).as_object();
    auto& parts = answer["parts"].as_array();
    std::swap(parts[0], parts[1]);
    EXPECT_THAT(why_no_snapshot(boost::json::serialize(answer)), HasSubstr("missing"));
    std::swap(parts[0], parts[1]);
    parts.pop_back();
    EXPECT_THAT(why_no_snapshot(boost::json::serialize(answer)), HasSubstr("missing"));
    answer["number"] = 8;
    EXPECT_THAT(why_no_snapshot(boost::json::serialize(answer)), HasSubstr("missing"));
}

/// Answers as a test says; a stream stays open until it is stopped.
class FakeServer {
public:
    Result<Answer> answer(const Request& request, const TakeBytes& take) {
        std::unique_lock lock(mutex);
        if (request.url.ends_with("/oauth2/token")) {
            ++sign_ins;
            body = request.body;
            return Answer{200,
                          R"({"access_token":"t)" + std::to_string(sign_ins) +
                              R"(","expires_in":3600})",
                          {}};
        }
        if (request.url.ends_with("jwks.json")) {
            return issuer.answer();
        }
        bearers.push_back(request.bearer);
        if (refused_bearer == request.bearer || refused_bearer == "*") {
            return Answer{401, "", {}};
        }
        if (request.url.ends_with("/revocations/snapshot")) {
            return Answer{200,
                          issuer.snapshot(security_event, snapshot_number,
                                          {{{"events", R"({"urn:claviger:event:snapshot":{)"
                                                       R"("revocations":[]}})"}}}),
                          {}};
        }
        if (request.url.ends_with("/authorization/snapshot")) {
            return Answer{200,
                          issuer.snapshot(access_snapshot, rules_number,
                                          {{{"nodes", R"([["tenant","1",-1]])"}}}),
                          {}};
        }
        if (pieces.empty()) {
            return fail(ErrorCode::unavailable, "nobody is there");
        }
        followed.push_back(request.last_event_id);
        const std::string piece = pieces.front();
        pieces.erase(pieces.begin());
        lock.unlock(); // who takes it has locks of its own
        take(piece);
        return Answer{200, "", {}};
    }

    std::mutex mutex;
    TestIssuer issuer;
    std::uint64_t snapshot_number = 1, rules_number = 1;
    std::vector<std::string> pieces; // of each stream that is opened
    std::vector<std::string> followed, bearers;
    std::string refused_bearer, body;
    int sign_ins = 0;
};

class FakeTransport final : public Transport {
public:
    explicit FakeTransport(FakeServer& server) : server_(server) {}
    Result<Answer> send(const Request& request, const TakeBytes& take) override {
        return server_.answer(request, take);
    }
    void stop() override {}

private:
    FakeServer& server_;
};

class BackgroundTest : public testing::Test {
protected:
    ServerAccount account() const {
        return {"https://claviger.example", "ci &", Secret(std::string("clvs=1")), 1000};
    }
    std::string event(std::uint64_t number, std::string_view name, std::string_view facts) const {
        return "data: " + server.issuer.entry(number, name, facts) + "\n\n";
    }

    FakeServer server;
    const Clock& clock = server.issuer.clock;
    FakeTransport transport{server};
    ServerApi api{account(), clock};
    KeyStore keys{[this] { return api.fetch_keys(transport); }, clock};
    FeedState feed{clock, 60'000};
    RulesState rules{clock, 60'000};
    std::vector<std::string> problems;
    std::mutex problems_mutex;

    Background::Parts parts() {
        return {api,
                keys,
                feed,
                &rules,
                DocumentReader(keys, test_issuer_url),
                [this] { return std::make_unique<FakeTransport>(server); },
                [this](std::string_view problem) {
                    const std::lock_guard lock(problems_mutex);
                    problems.emplace_back(problem);
                }};
    }
};

TEST_F(BackgroundTest, SignsInOnceAndAgainInTime) {
    ASSERT_TRUE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    ASSERT_TRUE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    EXPECT_EQ(server.sign_ins, 1);
    EXPECT_EQ(server.body,
              "grant_type=client_credentials&client_id=ci%20%26&client_secret=clvs%3D1");
    server.issuer.clock.advance_seconds(3600 - 721);
    ASSERT_TRUE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    EXPECT_EQ(server.sign_ins, 1);
    server.issuer.clock.advance_seconds(2);
    ASSERT_TRUE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    EXPECT_EQ(server.sign_ins, 2) << "a fifth of its time is left";
}

TEST_F(BackgroundTest, SignsInAgainOnceWhenItsTokenHasEnded) {
    ASSERT_TRUE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    server.refused_bearer = "t1";
    ASSERT_TRUE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    EXPECT_THAT(server.bearers, testing::ElementsAre("t1", "t1", "t2"));
    server.refused_bearer = "*";
    EXPECT_FALSE(api.fetch_snapshot(transport, "/api/v1/revocations/snapshot"));
    EXPECT_EQ(server.sign_ins, 3);
}

TEST_F(BackgroundTest, AMissingEntryBeginsAnew) {
    const std::string facts = R"({"jti":"j","until":1800003600})";
    server.pieces = {event(2, "token-revoked", facts),
                     event(3, "token-revoked", facts) + event(5, "token-revoked", facts), ": x\n"};
    Background background(parts());
    ASSERT_TRUE(background.wait_for(20'000, [&] {
        const std::lock_guard lock(server.mutex);
        return server.pieces.empty();
    }));
    background.stop();
    const std::lock_guard lock(server.mutex);
    EXPECT_THAT(server.followed, testing::ElementsAre("1", "2", "1")) << "as the snapshot says";
    EXPECT_EQ(background.counts().snapshots, 2U);
    EXPECT_THAT(problems, testing::Contains(HasSubstr("an entry of the feed is missing")));
}

TEST_F(BackgroundTest, WhatIsNotSignedChangesNothing) {
    const std::string facts = R"({"jti":"j","until":1800003600})";
    TestIssuer stranger;
    server.pieces = {"data: " + stranger.entry(2, "token-revoked", facts) + "\n\n",
                     event(2, "token-revoked", facts)};
    Background background(parts());
    ASSERT_TRUE(background.wait_for(20'000, [&] { return feed.number() == 2; }));
    EXPECT_EQ(background.counts().snapshots, 1U);
    background.stop();
    const std::lock_guard lock(server.mutex);
    EXPECT_THAT(server.followed, testing::ElementsAre("1", "1"));
}

TEST_F(BackgroundTest, RulesAreLoadedUntilTheyAreAsNewAsTheFeed) {
    server.pieces = {event(2, "rules-changed", R"({"revision":2,"until":1800003600})")};
    Background background(parts());
    ASSERT_TRUE(background.wait_for(
        20'000, [&] { return feed.number() == 2 && rules.current() != nullptr; }));
    EXPECT_TRUE(rules.is_wanted());
    {
        const std::lock_guard lock(server.mutex);
        server.rules_number = 2;
    }
    EXPECT_TRUE(background.wait_for(20'000, [&] { return !rules.is_wanted(); }));
    EXPECT_EQ(rules.current()->number(), 2U);
}

TEST_F(BackgroundTest, ABurnedKeyIsGoneWithTheEntry) {
    ASSERT_TRUE(keys.load());
    const std::string kid = server.issuer.tokens.public_key().kid();
    ASSERT_TRUE(keys.find(kid));
    server.pieces = {event(2, "signing-keys-changed",
                           R"({"kid":")" + kid + R"(","burned":true,"until":1800003600})")};
    Background background(parts());
    ASSERT_TRUE(background.wait_for(20'000, [&] { return feed.number() == 2; }));
    EXPECT_FALSE(keys.find(kid)) << "although it is published still";
}

TEST(ServerTransport, RefusesToBeUsedAfterItsEnd) {
    const auto transport = make_curl_transport("");
    transport->stop();
    EXPECT_FALSE(transport->send({"http://127.0.0.1:1/"}));
}

} // namespace
} // namespace claviger::offline
