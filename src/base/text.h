// SPDX-License-Identifier: Apache-2.0
// Small questions about text that several modules ask: ASCII case, UTF-8 validity, numbers, JSON.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claviger {

constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string ascii_lower(std::string_view text);
bool ascii_iequal_of_same_size(std::string_view a, std::string_view b);
inline bool ascii_iequal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ascii_iequal_of_same_size(a, b);
}

/// True for well-formed UTF-8 (RFC 3629) without U+0000..U+001F and U+007F.
bool is_printable_utf8(std::string_view text);
bool is_utf8(std::string_view text);

/// The whole text as a number, or nothing.
template <std::integral T>
std::optional<T> parse_integer(std::string_view text, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

template <std::size_t size>
constexpr std::string_view as_text(const std::array<char, size>& characters) {
    return {characters.data(), size};
}

/// Appends a JSON string in pure ASCII (RFC 8259 7). `>`, `?`, `~` and DEL are escaped as well, so
/// that the base64url form of such JSON never holds '-' or '_' (clients exist that cannot read
/// them). `text` must be UTF-8; malformed bytes become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

} // namespace claviger
