// SPDX-License-Identifier: Apache-2.0
#include "base/day.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace claviger {
namespace {

constexpr std::int64_t seconds_in_day = 86'400;
constexpr std::string_view form = "dddd-dd-dd";

bool has_form(std::string_view text) {
    return std::ranges::equal(text, form, [](char c, char expected) {
        return expected == 'd' ? c >= '0' && c <= '9' : c == expected;
    });
}

int number_in(std::string_view text, std::size_t begin, std::size_t size) {
    return parse_integer<std::int32_t>(text.substr(begin, size)).value_or(0);
}

} // namespace

Day day_of(Timestamp at) {
    const std::int64_t seconds = at.seconds();
    const std::int64_t whole = seconds / seconds_in_day;
    return Day{static_cast<std::int32_t>(seconds % seconds_in_day < 0 ? whole - 1 : whole)};
}

std::string format_day(Day day) {
    // The first characters of a time are its day.
    const auto characters =
        rfc3339_characters(Timestamp::from_seconds(day.number * seconds_in_day));
    return std::string(characters.data(), form.size());
}

std::optional<Day> parse_day(std::string_view text) {
    if (!has_form(text)) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{
        std::chrono::year(number_in(text, 0, 4)),
        std::chrono::month(static_cast<unsigned>(number_in(text, 5, 2))),
        std::chrono::day(static_cast<unsigned>(number_in(text, 8, 2)))};
    if (!date.ok()) {
        return std::nullopt;
    }
    return Day{static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count())};
}

} // namespace claviger
