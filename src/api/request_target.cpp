// SPDX-License-Identifier: Apache-2.0
#include "api/request_target.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

using CharacterTable = std::array<bool, 256>;

constexpr CharacterTable characters_of(std::string_view text) {
    CharacterTable table{};
    for (const char c : text) {
        table[static_cast<std::uint8_t>(c)] = true;
    }
    return table;
}

constexpr CharacterTable name_characters = characters_of("0123456789abcdefghijklmnopqrstuvwxyz.-");
constexpr CharacterTable address_characters = characters_of("0123456789abcdef:.[]");

constexpr CharacterTable make_target_characters() {
    CharacterTable table{};
    for (std::size_t c = 0x21; c < 0x7F; ++c) {
        table[c] = true;
    }
    for (const char c : {'#', '\\', '<', '>', '"', '{', '}', '|', '^', '`'}) {
        table[static_cast<std::uint8_t>(c)] = false;
    }
    return table;
}

constexpr CharacterTable target_characters = make_target_characters();

bool are_all(std::string_view text, const CharacterTable& allowed) {
    return std::ranges::all_of(text, [&](char c) { return allowed[static_cast<std::uint8_t>(c)]; });
}

bool is_unreserved(std::uint8_t c) { // RFC 3986 2.3
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/// A percent sign is not decoded either: nobody can decode twice what holds none.
bool may_be_escaped(std::uint8_t c) {
    return !is_unreserved(c) && c != '/' && c != '\\' && c != '%';
}

bool is_canonical_escaped(std::string_view segment) {
    std::string decoded;
    while (!segment.empty()) {
        if (segment.front() != '%') {
            decoded += segment.front();
            segment.remove_prefix(1);
            continue;
        }
        const auto byte = decode_hex(segment.substr(1, 2));
        if (!byte || byte->size() != 1 || !may_be_escaped(byte->front())) {
            return false;
        }
        decoded += static_cast<char>(byte->front());
        segment.remove_prefix(3);
    }
    return is_printable_utf8(decoded);
}

bool is_canonical_segment(std::string_view segment) {
    if (segment == "." || segment == ".." || segment.find(';') != std::string_view::npos) {
        return false;
    }
    return segment.find('%') == std::string_view::npos || is_canonical_escaped(segment);
}

bool is_canonical_path(std::string_view path) {
    if (path == "/") {
        return true;
    }
    while (!path.empty()) {
        if (path.front() != '/') {
            return false;
        }
        path.remove_prefix(1);
        const std::string_view segment = path.substr(0, path.find('/'));
        if (segment.empty() || !is_canonical_segment(segment)) {
            return false;
        }
        path.remove_prefix(segment.size());
    }
    return true;
}

} // namespace

std::optional<RequestTarget> read_target(std::string_view text) {
    const bool clean = are_all(text, target_characters);
    const std::size_t question = text.find('?');
    RequestTarget target;
    target.path = text.substr(0, question);
    if (question != std::string_view::npos) {
        target.query = text.substr(question + 1);
    }
    if (!clean || !target.path.starts_with('/') || !is_canonical_path(target.path)) {
        return std::nullopt;
    }
    return target;
}

std::string host_name_of(std::string_view host) {
    std::string_view name = host;
    std::string_view port;
    const bool bracketed = host.starts_with('[');
    if (bracketed) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos || end < 3) {
            return {};
        }
        name = host.substr(0, end + 1);
        port = host.substr(end + 1);
    } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
        name = host.substr(0, colon);
        port = host.substr(colon);
    }
    const CharacterTable& allowed = bracketed ? address_characters : name_characters;
    std::string lower = ascii_lower(name);
    const bool good_name = !lower.empty() && lower.size() <= 253 && are_all(lower, allowed);
    const bool good_port =
        port.empty() || (port.starts_with(':') && port.size() <= 6 &&
                         parse_integer<std::uint16_t>(port.substr(1)).has_value());
    return good_name && good_port ? lower : std::string();
}

} // namespace claviger
