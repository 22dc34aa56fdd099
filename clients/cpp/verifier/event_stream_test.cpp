// SPDX-License-Identifier: Apache-2.0
#include "verifier/event_stream.h"

#include <gmock/gmock.h>
#include <vector>

namespace claviger::offline {
namespace {

using testing::ElementsAre;

struct Reading {
    std::vector<std::string> events;
    EventStream stream{[this](std::string_view event) {
        events.emplace_back(event);
        return event != "last";
    }};
};

TEST(EventStream, GivesWhatEventsSayHoweverTheyCome) {
    const std::string text =
        ": still here\n\nid: 7\ndata: one\n\ndata:two\r\n\r\ndata: a\ndata: b\n\n"
        "event: x\n\ndata: not ended\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        Reading reading;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            EXPECT_TRUE(reading.stream.read(std::string_view(text).substr(at, piece)));
        }
        EXPECT_THAT(reading.events, ElementsAre("one", "two", "a\nb")) << piece;
    }
}

TEST(EventStream, EndsWhenTheReaderDoes) {
    Reading reading;
    EXPECT_FALSE(reading.stream.read("data: last\n\ndata: more\n\n"));
    EXPECT_THAT(reading.events, ElementsAre("last"));
}

TEST(EventStream, RefusesWhatIsTooLong) {
    Reading reading;
    const std::string much(200'000, 'x');
    EXPECT_TRUE(reading.stream.read("data: " + much + "\n"));
    EXPECT_FALSE(reading.stream.read("data: " + much));
    EXPECT_TRUE(reading.events.empty());
}

} // namespace
} // namespace claviger::offline
