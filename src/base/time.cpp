// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <array>
#include <chrono>

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

/// Appends the last `digits` decimal digits of a number that is not negative, and what follows
/// them.
void append_digits(std::string& out, std::int64_t value, std::size_t digits, char next) {
    std::array<char, 8> reversed{};
    for (std::size_t i = 0; i < digits; ++i, value /= 10) {
        reversed[i] = static_cast<char>('0' + value % 10);
    }
    out.append(reversed.rend() - static_cast<std::ptrdiff_t>(digits), reversed.rend());
    out += next;
}

} // namespace

std::string format_rfc3339(Timestamp at) {
    using namespace std::chrono;
    const sys_time<microseconds> point{microseconds{at.microseconds}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss<microseconds> clock{point - day};
    std::string text;
    text.reserve(27);
    append_digits(text, int{date.year()}, 4, '-');
    append_digits(text, unsigned{date.month()}, 2, '-');
    append_digits(text, unsigned{date.day()}, 2, 'T');
    append_digits(text, clock.hours().count(), 2, ':');
    append_digits(text, clock.minutes().count(), 2, ':');
    append_digits(text, clock.seconds().count(), 2, '.');
    append_digits(text, clock.subseconds().count(), 6, 'Z');
    return text;
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
