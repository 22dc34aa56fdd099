// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.h"

#include <array>

#include "base/text.h"

namespace claviger {
namespace {

constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> inverse(std::string_view alphabet) {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return table;
}

std::optional<Bytes> decode_base64_text(std::string_view text,
                                        const std::array<std::int8_t, 256>& table) {
    const std::size_t rest = text.size() % 4;
    if (rest == 1) {
        return std::nullopt;
    }
    Bytes out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::int8_t value = table[static_cast<std::uint8_t>(c)];
        if (value < 0) {
            return std::nullopt;
        }
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<std::uint8_t>(bits >> count));
        }
    }
    const std::uint32_t unused = bits & ((1U << count) - 1);
    if (unused != 0) {
        return std::nullopt;
    }
    return out;
}

} // namespace

void append_base64url(std::string& out, std::span<const std::uint8_t> bytes) {
    const std::size_t old_size = out.size();
    out.resize(old_size + (bytes.size() * 4 + 2) / 3);
    auto to = out.begin() + static_cast<std::ptrdiff_t>(old_size);
    const auto put = [&](std::uint32_t bits) { *to++ = url_alphabet[bits & 63]; };
    while (bytes.size() >= 3) {
        const std::uint32_t triple = static_cast<std::uint32_t>(bytes[0]) << 16 |
                                     static_cast<std::uint32_t>(bytes[1]) << 8 | bytes[2];
        put(triple >> 18);
        put(triple >> 12);
        put(triple >> 6);
        put(triple);
        bytes = bytes.subspan(3);
    }
    if (bytes.size() == 1) {
        const std::uint32_t single = bytes[0];
        put(single >> 2);
        put(single << 4);
    } else if (bytes.size() == 2) {
        const std::uint32_t pair = static_cast<std::uint32_t>(bytes[0]) << 8 | bytes[1];
        put(pair >> 10);
        put(pair >> 4);
        put(pair << 2);
    }
}

std::string base64url(std::span<const std::uint8_t> bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    append_base64url(out, bytes);
    return out;
}

std::optional<Bytes> decode_base64url(std::string_view text) {
    static constexpr auto table = inverse(url_alphabet);
    return decode_base64_text(text, table);
}

std::optional<Bytes> decode_base64(std::string_view text) {
    static constexpr auto table = inverse(base64_alphabet);
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
        text.remove_suffix(1);
    }
    return decode_base64_text(text, table);
}

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

std::optional<Bytes> decode_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return std::nullopt;
    }
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = hex_digit(text[i]);
        const auto low = hex_digit(text[i + 1]);
        if (!high || !low) {
            return std::nullopt;
        }
        out.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    return out;
}

std::string base32(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        count += 8;
        while (count >= 5) {
            count -= 5;
            out += alphabet[bits >> count & 31];
        }
        bits &= (1U << count) - 1;
    }
    if (count > 0) {
        out += alphabet[bits << (5 - count) & 31];
    }
    return out;
}

namespace {

constexpr std::string_view base62_alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

} // namespace

std::string base62(std::span<const std::uint8_t> bytes, std::size_t width) {
    Bytes number(bytes.begin(), bytes.end());
    std::string out(width, '0');
    for (std::size_t i = width; i-- > 0;) {
        std::uint32_t remainder = 0;
        for (std::uint8_t& byte : number) {
            const std::uint32_t value = remainder << 8 | byte;
            byte = static_cast<std::uint8_t>(value / 62);
            remainder = value % 62;
        }
        out[i] = base62_alphabet[remainder];
    }
    return out;
}

std::optional<Bytes> decode_base62(std::string_view digits, std::size_t size) {
    Bytes number(size);
    for (const char digit : digits) {
        const std::size_t value = base62_alphabet.find(digit);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        std::size_t carry = value;
        for (std::size_t i = size; i-- > 0;) {
            carry += number[i] * std::size_t{62};
            number[i] = static_cast<std::uint8_t>(carry);
            carry >>= 8;
        }
        if (carry != 0) {
            return std::nullopt;
        }
    }
    return number;
}

std::uint32_t crc32(std::string_view text) {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> values{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1) != 0 ? 0xEDB88320U ^ value >> 1 : value >> 1;
            }
            values[i] = value;
        }
        return values;
    }();
    std::uint32_t sum = 0xFFFFFFFFU;
    for (const char c : text) {
        sum = table[(sum ^ static_cast<std::uint8_t>(c)) & 0xFF] ^ sum >> 8;
    }
    return ~sum;
}

} // namespace claviger
