// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <algorithm>

#include "base/encoding.h"

namespace claviger {

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
    std::string digits;
    digits.reserve(32);
    std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != '-'; });
    const auto decoded = decode_hex(digits);
    if (!decoded || decoded->size() != 16) {
        return std::nullopt;
    }
    Uuid id;
    std::ranges::copy(*decoded, id.bytes.begin());
    return id;
}

std::string Uuid::text() const {
    std::string out = hex(bytes);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
        out.insert(dash, 1, '-');
    }
    return out;
}

} // namespace claviger
