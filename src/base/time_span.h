// SPDX-License-Identifier: Apache-2.0
// Time spans as people write them: a whole number and s, m, h or d.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace claviger {

inline constexpr std::int64_t longest_time_span_seconds = 3'650 * std::int64_t{86'400};

/// "12h" as 43,200 seconds. Nothing for what is no such text, zero, or longer than 3,650 days.
inline std::optional<std::int64_t> parse_time_span(std::string_view text) {
    static constexpr std::array<std::pair<char, std::int64_t>, 4> units{
        {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};
    if (text.empty()) {
        return std::nullopt;
    }
    const auto unit = std::ranges::find(units, text.back(), &std::pair<char, std::int64_t>::first);
    const auto number = parse_integer<std::int32_t>(text.substr(0, text.size() - 1));
    if (unit == units.end() || !number || *number < 1 ||
        *number * unit->second > longest_time_span_seconds) {
        return std::nullopt;
    }
    return *number * unit->second;
}

} // namespace claviger
