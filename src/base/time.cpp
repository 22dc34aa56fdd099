// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <algorithm>
#include <chrono>
#include <ranges>
#include <span>
#include <string>

#include "base/text.h"

namespace claviger {
namespace {

/// Takes exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) {
        return std::nullopt;
    }
    int value = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// Fraction digits after the dot, as microseconds; what is finer is cut off.
std::optional<int> take_fraction(std::string_view& text) {
    int value = 0;
    std::size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 6) {
            value = value * 10 + (text.front() - '0');
        }
        ++digits;
        text.remove_prefix(1);
    }
    if (digits == 0 || digits > 12) {
        return std::nullopt;
    }
    for (; digits < 6; ++digits) {
        value *= 10;
    }
    return value;
}

/// "Z" or "+hh:mm", as minutes east of UTC.
std::optional<int> take_offset(std::string_view& text) {
    if (take(text, "Zz")) {
        return 0;
    }
    const int sign = !text.empty() && text.front() == '-' ? -1 : 1;
    if (!take(text, "+-")) {
        return std::nullopt;
    }
    const auto hours = take_number(text, 2);
    if (!hours || *hours > 23 || !take(text, ":")) {
        return std::nullopt;
    }
    const auto minutes = take_number(text, 2);
    if (!minutes || *minutes > 59) {
        return std::nullopt;
    }
    return sign * (*hours * 60 + *minutes);
}

/// Writes the last decimal digits of a number that is not negative to a place in `text`.
void put_digits(std::span<char> text, std::int64_t value) {
    for (char& digit : text | std::views::reverse) {
        digit = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

} // namespace

std::array<char, 27> rfc3339_characters(Timestamp at) {
    using namespace std::chrono;
    const sys_time<microseconds> point{microseconds{at.microseconds}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss<microseconds> clock{point - day};
    std::array<char, 27> text{};
    std::ranges::copy(std::string_view("0000-00-00T00:00:00.000000Z"), text.begin());
    const std::span places(text);
    put_digits(places.subspan(0, 4), int{date.year()});
    put_digits(places.subspan(5, 2), unsigned{date.month()});
    put_digits(places.subspan(8, 2), unsigned{date.day()});
    put_digits(places.subspan(11, 2), clock.hours().count());
    put_digits(places.subspan(14, 2), clock.minutes().count());
    put_digits(places.subspan(17, 2), clock.seconds().count());
    put_digits(places.subspan(20, 6), clock.subseconds().count());
    return text;
}

std::string format_rfc3339(Timestamp at) {
    return std::string(as_text(rfc3339_characters(at)));
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto year_number = take_number(text, 4);
    if (!year_number || !take(text, "-")) {
        return std::nullopt;
    }
    const auto month_number = take_number(text, 2);
    if (!month_number || !take(text, "-")) {
        return std::nullopt;
    }
    const auto day_number = take_number(text, 2);
    if (!day_number || !take(text, "Tt ")) {
        return std::nullopt;
    }
    const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                              day{static_cast<unsigned>(*day_number)}};
    const auto hour_number = take_number(text, 2);
    if (!date.ok() || !hour_number || *hour_number > 23 || !take(text, ":")) {
        return std::nullopt;
    }
    const auto minute_number = take_number(text, 2);
    if (!minute_number || *minute_number > 59 || !take(text, ":")) {
        return std::nullopt;
    }
    const auto second_number = take_number(text, 2);
    if (!second_number || *second_number > 60) {
        return std::nullopt;
    }
    std::optional<int> fraction = 0;
    if (take(text, ".")) {
        fraction = take_fraction(text);
    }
    const auto offset = take_offset(text);
    if (!fraction || !offset || !text.empty()) {
        return std::nullopt;
    }
    const auto point = sys_days{date} + hours{*hour_number} + minutes{*minute_number - *offset} +
                       seconds{*second_number};
    return Timestamp{duration_cast<microseconds>(point.time_since_epoch()).count() + *fraction};
}

} // namespace claviger
