// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

/// Where the digits of each byte stand.
constexpr std::array<std::uint8_t, 16> places{0,  2,  4,  6,  9,  11, 14, 16,
                                              19, 21, 24, 26, 28, 30, 32, 34};

using HexPair = std::array<char, 2>;

constexpr std::array<HexPair, 256> hex_pairs = [] {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<HexPair, 256> pairs{};
    for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
        pairs[byte] = {digits[byte >> 4], digits[byte & 15]};
    }
    return pairs;
}();

} // namespace

Uuid Uuid::make(Random& random) {
    Uuid id;
    random.fill(id.bytes);
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
        text[23] != '-') {
        return std::nullopt;
    }
    Uuid id;
    std::uint8_t all = 0; // of the digits; 16 stands for what is none
    for (std::size_t i = 0; i < places.size(); ++i) {
        const std::uint8_t high = hex_values[static_cast<std::uint8_t>(text[places[i]])];
        const std::uint8_t low = hex_values[static_cast<std::uint8_t>(text[places[i] + 1U])];
        all = static_cast<std::uint8_t>(all | high | low);
        id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    if (all >= 16) {
        return std::nullopt;
    }
    return id;
}

std::array<char, 36> Uuid::characters() const {
    std::array<char, 36> text{};
    text[8] = text[13] = text[18] = text[23] = '-';
    char* const digits = text.data();
    for (std::size_t i = 0; i < places.size(); ++i) {
        const HexPair& pair = hex_pairs[bytes[i]];
        digits[places[i]] = pair[0];
        digits[places[i] + 1U] = pair[1];
    }
    return text;
}

std::string Uuid::text() const {
    return std::string(as_text(characters()));
}

} // namespace claviger
