// SPDX-License-Identifier: Apache-2.0
#include "api/body_stream.h"

#include "api/test_api.h"

namespace claviger {
namespace {

std::unique_ptr<BodyStream> count_to(std::int64_t last) {
    return stream_array([last, next = std::int64_t{1}](JsonWriter& out) mutable -> Result<bool> {
        if (next > last) {
            return false;
        }
        out.value(next++);
        return true;
    });
}

TEST(BodyStream, AnArrayIsTheSameInPieces) {
    EXPECT_EQ(read_to_end(*count_to(0)).value(), "[]");
    EXPECT_EQ(read_to_end(*count_to(1)).value(), "[1]");
    EXPECT_EQ(read_to_end(*count_to(3)).value(), "[1,2,3]");
    const std::string many = read_to_end(*count_to(100'000)).value();
    EXPECT_EQ(json::parse(many).as_array().size(), 100'000U);
}

TEST(BodyStream, PiecesAreSmall) {
    const auto stream = count_to(100'000);
    std::string chunk;
    std::size_t pieces = 0;
    while (stream->next(chunk).value()) {
        EXPECT_LT(chunk.size(), usual_chunk + 100);
        chunk.clear();
        ++pieces;
    }
    EXPECT_GT(pieces, 8U);
    EXPECT_TRUE(chunk.empty());
    EXPECT_FALSE(stream->next(chunk).value()); // and stays at its end
}

TEST(BodyStream, AFailureIsPassedOn) {
    const auto stream = stream_array(
        [](JsonWriter&) -> Result<bool> { return fail(ErrorCode::unavailable, "gone"); });
    EXPECT_EQ(read_to_end(*stream).error().code(), ErrorCode::unavailable);
}

using LongListTest = testing::AdminFixture;

TEST_F(LongListTest, ServiceAccountsStreamWhenThereAreMany) {
    constexpr std::string_view path = "/api/v1/service-accounts";
    const auto add = [&](int number) {
        const auto made = world.accounts.create(world.admin(), "robot-" + std::to_string(number));
        ASSERT_TRUE(made) << made.error().detail();
        world.clock.advance_seconds(1);
    };
    for (int i = 0; i < 1'000; ++i) {
        add(i);
    }
    const HttpResponse whole = as_admin(HttpMethod::get, std::string(path));
    EXPECT_EQ(whole.stream, nullptr);
    EXPECT_EQ(json::parse(whole.body).as_array().size(), 1'000U);

    add(1'000);
    HttpResponse streamed = as_admin(HttpMethod::get, std::string(path));
    ASSERT_NE(streamed.stream, nullptr);
    EXPECT_TRUE(streamed.body.empty());
    add(1'001); // what comes later is not in it
    const json::value list = json::parse(read_to_end(*streamed.stream).value());
    ASSERT_EQ(list.as_array().size(), 1'001U);
    for (std::size_t i = 0; i < list.as_array().size(); ++i) {
        EXPECT_EQ(list.at(i).at("name").as_string(), "robot-" + std::to_string(i));
    }
    EXPECT_EQ(list.at(0), json::parse(whole.body).at(0));
}

} // namespace
} // namespace claviger
