// SPDX-License-Identifier: Apache-2.0
// Bytes as text: base64url (RFC 4648 5, no padding, canonical only), base64, hex, base32, base62.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace claviger {

using Bytes = std::vector<std::uint8_t>;

inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append_base64url(std::string& out, std::span<const std::uint8_t> bytes);
std::string base64url(std::span<const std::uint8_t> bytes);
/// Refuses padding, white space, other alphabets and non-zero trailing bits (RFC 7515 2).
std::optional<Bytes> decode_base64url(std::string_view text);
/// Standard alphabet, padding required when due (RFC 4648 4), canonical only.
std::optional<Bytes> decode_base64(std::string_view text);
std::string hex(std::span<const std::uint8_t> bytes);
std::optional<Bytes> decode_hex(std::string_view text);
/// The value of a hexadecimal digit in either case, and 16 for what is none.
inline constexpr std::array<std::uint8_t, 256> hex_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(16);
    for (std::uint8_t value = 0; value < 16; ++value) {
        values[static_cast<std::uint8_t>("0123456789abcdef"[value])] = value;
        values[static_cast<std::uint8_t>("0123456789ABCDEF"[value])] = value;
    }
    return values;
}();
/// The value of a digit in either case.
constexpr std::optional<std::uint8_t> hex_digit(char c) {
    const std::uint8_t value = hex_values[static_cast<std::uint8_t>(c)];
    return value < 16 ? std::optional(value) : std::nullopt;
}
/// Lower-case RFC 4648 6 alphabet without padding.
std::string base32(std::span<const std::uint8_t> bytes);
/// A big-endian number in the digits 0-9A-Za-z, left-filled with '0' to `width`.
std::string base62(std::span<const std::uint8_t> bytes, std::size_t width);
/// The number as `size` bytes; nothing when a character is no digit or the number does not fit.
std::optional<Bytes> decode_base62(std::string_view digits, std::size_t size);
/// CRC-32 (IEEE 802.3), as in zip and PNG.
std::uint32_t crc32(std::string_view text);

} // namespace claviger
