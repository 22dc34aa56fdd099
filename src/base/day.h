// SPDX-License-Identifier: Apache-2.0
// Whole days of UTC, and their text: what is counted by the day needs no time.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace claviger {

struct Day {
    std::int32_t number = 0; // days since 1970-01-01

    constexpr Day plus(std::int32_t days) const { return Day{number + days}; }
    friend constexpr auto operator<=>(Day, Day) = default;
};

/// The day in which a time lies.
Day day_of(Timestamp at);
/// "2026-11-24" (RFC 3339 5.6, full-date).
std::string format_day(Day day);
/// Reads such a text; nothing for any other, and for days that are in no month.
std::optional<Day> parse_day(std::string_view text);

} // namespace claviger
