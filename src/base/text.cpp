// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <array>

namespace claviger {
namespace {

/// One code point of UTF-8. `length` is 0 for a malformed sequence.
struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;
};

CodePoint decode_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) {
        return {};
    }
    char32_t value = first & (0x7F >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return {};
        }
        value = value << 6 | (byte(i) & 0x3F);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < smallest[length] || value > 0x10FFFF || surrogate) {
        return {};
    }
    return {value, length};
}

template <class Predicate>
bool all_code_points(std::string_view text, Predicate good) {
    while (!text.empty()) {
        const CodePoint point = decode_utf8(text);
        if (point.length == 0 || !good(point.value)) {
            return false;
        }
        text.remove_prefix(point.length);
    }
    return true;
}

void append_unicode_escape(std::string& out, unsigned unit) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += digits[unit >> shift & 15];
    }
}

/// True where a character of JSON in ASCII is written as it is.
bool stands_for_itself(char c) {
    static constexpr auto table = [] {
        std::array<bool, 256> plain{};
        std::fill(plain.begin() + 0x20, plain.begin() + 0x7F, true);
        for (const char escaped : std::string_view("\"\\>?~")) {
            plain[static_cast<unsigned char>(escaped)] = false;
        }
        return plain;
    }();
    return table[static_cast<unsigned char>(c)];
}

/// Appends the first character of `text` as an escape; returns how many bytes of it that was.
std::size_t append_escaped(std::string& out, std::string_view text) {
    if (text.front() == '"' || text.front() == '\\') {
        out += '\\';
        out += text.front();
        return 1;
    }
    const CodePoint point = decode_utf8(text);
    const char32_t value = point.length == 0 ? 0xFFFD : point.value;
    if (value >= 0x10000) {
        append_unicode_escape(out, static_cast<unsigned>(0xD800 + ((value - 0x10000) >> 10)));
        append_unicode_escape(out, static_cast<unsigned>(0xDC00 + ((value - 0x10000) & 0x3FF)));
    } else {
        append_unicode_escape(out, static_cast<unsigned>(value));
    }
    return std::max<std::size_t>(point.length, 1);
}

} // namespace

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return ascii_lower(c); });
    return out;
}

bool ascii_iequal_of_same_size(std::string_view a, std::string_view b) {
    return a == b || std::ranges::equal(
                         a, b, {}, [](char c) { return ascii_lower(c); },
                         [](char c) { return ascii_lower(c); });
}

bool is_utf8(std::string_view text) {
    return all_code_points(text, [](char32_t) { return true; });
}

bool is_printable_utf8(std::string_view text) {
    return all_code_points(text, [](char32_t c) { return c >= 0x20 && c != 0x7F; });
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (true) {
        const auto run = std::ranges::find_if_not(text, stands_for_itself) - text.begin();
        out.append(text, 0, static_cast<std::size_t>(run));
        text.remove_prefix(static_cast<std::size_t>(run));
        if (text.empty()) {
            break;
        }
        text.remove_prefix(append_escaped(out, text));
    }
    out += '"';
}

} // namespace claviger
