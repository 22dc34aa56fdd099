// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

bool is_dash_due(std::size_t at) {
    return at == 8 || at == 13 || at == 18 || at == 23;
}

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
    std::size_t at = 0;
    for (std::uint8_t& byte : id.bytes) {
        at += is_dash_due(at) ? 1U : 0U;
        const auto high = hex_digit(text[at]);
        const auto low = hex_digit(text[at + 1]);
        if (!high || !low) {
            return std::nullopt;
        }
        byte = static_cast<std::uint8_t>(*high << 4 | *low);
        at += 2;
    }
    return id;
}

std::array<char, 36> Uuid::characters() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 36> text{};
    std::size_t at = 0;
    for (const std::uint8_t byte : bytes) {
        if (is_dash_due(at)) {
            text[at++] = '-';
        }
        text[at++] = digits[byte >> 4];
        text[at++] = digits[byte & 15];
    }
    return text;
}

std::string Uuid::text() const {
    return std::string(as_text(characters()));
}

} // namespace claviger
