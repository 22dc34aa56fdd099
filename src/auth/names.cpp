// SPDX-License-Identifier: Apache-2.0
#include "auth/names.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utf8proc.h>

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return is_lower(ascii_lower(c));
}
bool contains(std::string_view set, char c) {
    return set.find(c) != std::string_view::npos;
}

} // namespace

bool is_resource_name(std::string_view text) {
    return text.size() >= 2 && text.size() <= longest_name && is_lower(text.front()) &&
           (is_lower(text.back()) || is_digit(text.back())) &&
           std::ranges::all_of(
               text, [](char c) { return is_lower(c) || is_digit(c) || contains("-_", c); });
}

std::string make_access_key_client_id(Random& random) {
    std::array<std::uint8_t, 10> bytes{};
    random.fill(bytes);
    return std::string(access_key_prefix) + base32(bytes);
}

bool is_access_key_client_id(std::string_view text) {
    return text.size() == access_key_prefix.size() + 16 && text.starts_with(access_key_prefix) &&
           std::ranges::all_of(text.substr(access_key_prefix.size()),
                               [](char c) { return is_lower(c) || (c >= '2' && c <= '7'); });
}

bool is_email_address(std::string_view text) {
    const std::size_t at = text.find('@');
    if (text.size() > 254 || at == std::string_view::npos || at == 0) {
        return false;
    }
    const std::string_view local = text.substr(0, at);
    const std::string_view domain = text.substr(at + 1);
    const std::size_t dot = domain.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3) {
        return false;
    }
    return std::ranges::all_of(
               local, [](char c) { return is_letter(c) || is_digit(c) || contains("._%+-", c); }) &&
           std::ranges::all_of(
               domain.substr(0, dot),
               [](char c) { return is_letter(c) || is_digit(c) || contains(".-", c); }) &&
           std::ranges::all_of(domain.substr(dot + 1), is_letter);
}

bool is_display_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_name && text.front() != ' ' &&
           text.back() != ' ' && is_printable_utf8(text);
}

bool is_printable_name(std::string_view text) {
    return is_resource_name(text) || is_email_address(text);
}

std::string_view shown_name(std::string_view text) {
    return is_printable_name(text) ? text : "(unreadable)";
}

std::string fold_name(std::string_view text) {
    constexpr auto options = static_cast<utf8proc_option_t>(
        UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t length =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                     static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
    std::string folded = ascii_lower(text);
    if (length >= 0) { // it was UTF-8
        folded.assign(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
        std::free(mapped); // utf8proc allocates with malloc
    }
    std::erase_if(folded, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7F; });
    return folded;
}

bool is_realm_name(std::string_view text) {
    return is_dns_label(text);
}

bool is_dns_label(std::string_view label) {
    const auto edge = [](char c) { return is_lower(c) || is_digit(c); };
    return !label.empty() && label.size() <= 63 && edge(label.front()) && edge(label.back()) &&
           std::ranges::all_of(label, [&](char c) { return edge(c) || c == '-'; });
}

bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253) {
        return false;
    }
    while (true) {
        const std::size_t dot = text.find('.');
        if (!is_dns_label(text.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
}

} // namespace claviger
