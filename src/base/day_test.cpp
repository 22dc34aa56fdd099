// SPDX-License-Identifier: Apache-2.0
#include "base/day.h"

#include <gtest/gtest.h>

namespace claviger {
namespace {

TEST(DayTest, ATimeLiesInTheDayOfUtc) {
    EXPECT_EQ(day_of(Timestamp{0}).number, 0);
    EXPECT_EQ(day_of(Timestamp::from_seconds(86'399)).number, 0);
    EXPECT_EQ(day_of(Timestamp::from_seconds(86'400)).number, 1);
    EXPECT_EQ(day_of(Timestamp::from_seconds(-1)).number, -1);
    EXPECT_EQ(day_of(Timestamp::from_seconds(-86'400)).number, -1);
}

TEST(DayTest, TextsAreThereAndBack) {
    EXPECT_EQ(format_day(Day{0}), "1970-01-01");
    EXPECT_EQ(format_day(Day{20'781}), "2026-11-24");
    for (const std::int32_t number : {0, 58, 59, 60, 11'016, 19'782, 20'781, 73'000}) {
        EXPECT_EQ(parse_day(format_day(Day{number})), Day{number});
    }
    EXPECT_EQ(parse_day("2028-02-29"), Day{parse_day("2028-03-01")->number - 1});
}

TEST(DayTest, WhatIsNoDayIsRefused) {
    for (const char* text : {"", "2026-11-2", "2026-11-244", "2026-13-01", "2026-02-30",
                             "2027-02-29", "2026-00-01", "2026-01-00", "2026/11/24", "20261124",
                             "+026-11-24", "2026-11-24T00:00:00Z", " 2026-11-24", "2026-1 -24"}) {
        EXPECT_EQ(parse_day(text), std::nullopt) << text;
    }
}

} // namespace
} // namespace claviger
