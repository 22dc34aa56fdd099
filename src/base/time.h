// SPDX-License-Identifier: Apache-2.0
// Points in time as microseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claviger {

struct Timestamp {
    std::int64_t microseconds = 0;

    constexpr std::int64_t seconds() const { return microseconds / 1'000'000; }
    static constexpr Timestamp from_seconds(std::int64_t seconds) {
        return Timestamp{seconds * 1'000'000};
    }
    constexpr Timestamp plus_seconds(std::int64_t seconds) const {
        return Timestamp{microseconds + seconds * 1'000'000};
    }
    friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
};

/// "2026-11-24T08:30:00.000000Z": UTC, six fraction digits (RFC 3339 5.6).
std::array<char, 27> rfc3339_characters(Timestamp at);
std::string format_rfc3339(Timestamp at);

/// Reads any RFC 3339 date-time with an offset; nothing else.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

} // namespace claviger
