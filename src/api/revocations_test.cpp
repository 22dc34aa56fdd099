// SPDX-License-Identifier: Apache-2.0
// What the feed says to one who waits, as the server asks for it: by next().
#include <gtest/gtest.h>

#include "api/test_api.h"

namespace claviger {
namespace {

using Progress = FollowedBody::Progress;

class FeedTest : public testing::AdminFixture {
protected:
    std::unique_ptr<FollowedBody> follow(const std::string& query, bool as_events) {
        HttpRequest request = make(HttpMethod::get, "/api/v1/revocations/feed");
        request.query = query;
        request.authorization = "Bearer " + admin_token;
        if (as_events) {
            request.accept = "text/event-stream";
        }
        HttpResponse response = dispatcher.serve(request);
        EXPECT_EQ(response.status, 200) << response.body;
        return std::move(response.followed);
    }
    std::uint64_t last_number() { return world.state()->revocations.last_number(); }
    std::string from_now() { return "after=" + std::to_string(last_number()); }
    /// Something for the feed.
    void tell() {
        const auto made = *world.accounts.create(world.admin(), "a-" + std::to_string(++made_));
        EXPECT_TRUE(world.revocations.end_account_tokens(world.admin(), made.account.id.value));
    }
    static std::string take(FollowedBody& body, Progress expected, bool is_stopping = false) {
        std::string chunk;
        EXPECT_EQ(body.next(chunk, is_stopping), expected);
        return chunk;
    }

private:
    int made_ = 0;
};

TEST_F(FeedTest, AnswersAtOnceWhereThereIsNoWait) {
    const auto body = follow(from_now(), false);
    const json::value answer = json::parse(take(*body, Progress::ended));
    EXPECT_EQ(answer.at("number").as_int64(), static_cast<std::int64_t>(last_number()));
    EXPECT_TRUE(answer.at("events").as_array().empty());
    EXPECT_EQ(body->content_type(), "application/json");
}

TEST_F(FeedTest, WaitsForNewsAndNoLongerThanAsked) {
    const std::string query = from_now() + "&wait=30";
    const auto told = follow(query, false);
    const auto bored = follow(query, false);
    EXPECT_EQ(take(*told, Progress::waiting), "");
    tell();
    const json::value answer = json::parse(take(*told, Progress::ended));
    EXPECT_EQ(answer.at("events").as_array().size(), 1U);
    EXPECT_EQ(answer.at("number").as_int64(), static_cast<std::int64_t>(last_number()));
    const auto late = follow(from_now() + "&wait=30", false);
    world.clock.advance_seconds(29);
    EXPECT_EQ(take(*late, Progress::waiting), "");
    world.clock.advance_seconds(1);
    EXPECT_TRUE(json::parse(take(*late, Progress::ended)).at("events").as_array().empty());
    EXPECT_FALSE(json::parse(take(*bored, Progress::ended)).at("events").as_array().empty());
}

TEST_F(FeedTest, SendsEventsAsTheyComeAndShowsThatItLives) {
    const auto body = follow(from_now(), true);
    EXPECT_EQ(body->content_type(), "text/event-stream");
    EXPECT_EQ(take(*body, Progress::waiting), ": still here\n\n");
    EXPECT_EQ(take(*body, Progress::waiting), "");
    tell();
    tell();
    const std::string events = take(*body, Progress::waiting);
    EXPECT_TRUE(events.starts_with("id: " + std::to_string(last_number() - 1) +
                                   "\nevent: revocation\ndata: "));
    EXPECT_NE(events.find("\n\nid: " + std::to_string(last_number()) + "\n"), std::string::npos);
    EXPECT_EQ(take(*body, Progress::waiting), "");
    world.clock.advance_seconds(15);
    EXPECT_EQ(take(*body, Progress::waiting), ": still here\n\n");
}

TEST_F(FeedTest, PiecesAreSmall) {
    const auto body = follow(from_now(), true);
    take(*body, Progress::waiting);
    for (int i = 0; i < 65; ++i) {
        tell();
    }
    EXPECT_LT(take(*body, Progress::more).size(), std::size_t{64} * 1024);
    EXPECT_NE(take(*body, Progress::waiting), "");
}

TEST_F(FeedTest, EndsWhenTheServerStops) {
    EXPECT_EQ(take(*follow(from_now(), true), Progress::ended, true), "");
    const auto waiting = follow(from_now() + "&wait=30", false);
    EXPECT_NE(take(*waiting, Progress::ended, true), "");
}

TEST_F(FeedTest, EndsWithTheTokenThatOpenedIt) {
    const auto events = follow(from_now(), true);
    const auto waiting = follow(from_now() + "&wait=60", false);
    const User& admin = *world.state()->users.find_by_email(testing::admin_email);
    ASSERT_TRUE(world.users.sign_out(world.admin(), admin.id.value));
    EXPECT_EQ(take(*events, Progress::ended), "");
    EXPECT_TRUE(json::parse(take(*waiting, Progress::ended)).at("events").as_array().empty());
}

TEST_F(FeedTest, TheSnapshotHoldsWhatCanStillMatter) {
    tell();
    HttpResponse response = as_admin(HttpMethod::get, "/api/v1/revocations/snapshot");
    ASSERT_EQ(response.status, 200);
    ASSERT_NE(response.stream, nullptr);
    const json::value snapshot = json::parse(read_to_end(*response.stream).value());
    EXPECT_EQ(snapshot.at("number").as_int64(), static_cast<std::int64_t>(last_number()));
    ASSERT_EQ(snapshot.at("parts").as_array().size(), 1U);
    for (int i = 0; i < 600; ++i) {
        tell();
    }
    response = as_admin(HttpMethod::get, "/api/v1/revocations/snapshot");
    const json::value larger = json::parse(read_to_end(*response.stream).value());
    EXPECT_EQ(larger.at("parts").as_array().size(), 2U);
}

} // namespace
} // namespace claviger
