// SPDX-License-Identifier: Apache-2.0
// 128-bit identifiers (RFC 9562) in their binary form.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace claviger {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    /// A random UUID (version 4, RFC 9562 5.4).
    static Uuid make(Random& random);
    /// The 36-character lower- or upper-case form; nothing else.
    static std::optional<Uuid> parse(std::string_view text);
    /// Lower case, with dashes.
    std::array<char, 36> characters() const;
    std::string text() const;
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

/// Random UUIDs are their own hash.
inline std::uint64_t hash_of(const Uuid& id) {
    std::uint64_t value = 0;
    std::memcpy(&value, id.bytes.data() + 8, sizeof value);
    return value;
}

} // namespace claviger
