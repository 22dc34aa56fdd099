// SPDX-License-Identifier: Apache-2.0
#include "auth/web_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.h"

namespace claviger {
namespace {

using Ipv6 = std::array<std::uint8_t, 16>;

bool is_alphanumeric(char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/// What follows the scheme; nothing when it is neither http nor https.
std::optional<std::string_view> without_scheme(std::string_view text) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (ascii_iequal(text.substr(0, scheme.size()), scheme)) {
            return text.substr(scheme.size());
        }
    }
    return std::nullopt;
}

bool is_port(std::string_view text) {
    const auto number = parse_integer<std::uint16_t>(text);
    return number && *number != 0;
}

std::optional<Ipv6> parse_ipv6(std::string_view text) {
    Ipv6 bytes{};
    const bool is_one = inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) == 1;
    return is_one ? std::optional(bytes) : std::nullopt;
}

/// The host of an address, an IPv6 one in brackets; nothing when there is none of a right form.
std::optional<std::string_view> host_of(std::string_view address) {
    const auto rest = without_scheme(address);
    if (!rest) {
        return std::nullopt;
    }
    const std::string_view authority = rest->substr(0, rest->find_first_of("/?#"));
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == std::string_view::npos) {
        return std::nullopt;
    }
    const std::size_t colon = authority.find(':', bracket);
    const std::string_view host = authority.substr(0, colon);
    if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1))) {
        return std::nullopt;
    }
    if (bracket != 0) {
        const bool is_whole = bracket + 1 == host.size();
        return is_whole && parse_ipv6(host.substr(1, bracket - 1)) ? std::optional(host)
                                                                   : std::nullopt;
    }
    const bool is_name =
        !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
            return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
        });
    return is_name ? std::optional(host) : std::nullopt;
}

/// One part of an IPv4 address: decimal, octal with 0, hexadecimal with 0x.
std::optional<std::uint32_t> parse_part(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.front() == '0') {
        base = 8;
        text.remove_prefix(1);
    }
    if (text.empty()) {
        return base == 16 ? std::optional(std::uint32_t{0}) : std::nullopt;
    }
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

enum class NumericHost : std::uint8_t { no, malformed, yes };

/// Resolvers read hosts whose last part is a number as IPv4 addresses of one to four parts, of
/// which the last one fills the rest: "2130706433", "0x7f.1".
NumericHost parse_numeric(std::string_view host, std::uint32_t& address) {
    const std::string_view last = host.substr(host.rfind('.') + 1);
    const bool is_hexadecimal =
        ascii_iequal(last.substr(0, 2), "0x") &&
        last.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
    const bool is_number = is_hexadecimal || parse_part(last) ||
                           std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) {
        return NumericHost::no;
    }
    std::uint64_t value = 0;
    int places = 4;
    for (std::string_view rest = host;;) {
        const std::size_t dot = rest.find('.');
        const auto part = parse_part(rest.substr(0, dot));
        if (!part || places == 0) {
            return NumericHost::malformed;
        }
        if (dot == std::string_view::npos) {
            value = (value << (8 * places)) | *part;
            address = static_cast<std::uint32_t>(value);
            const bool fits = places == 4 || *part < (std::uint64_t{1} << (8 * places));
            return fits ? NumericHost::yes : NumericHost::malformed;
        }
        if (*part > 255) {
            return NumericHost::malformed;
        }
        value = (value << 8) | *part;
        --places;
        rest.remove_prefix(dot + 1);
    }
}

struct Range4 {
    std::uint32_t first;
    int bits;
};

bool is_refused(std::uint32_t address) {
    static constexpr std::array<Range4, 7> ranges{{
        {0x00000000, 8},  // this network
        {0x7F000000, 8},  // loopback
        {0xA9FE0000, 16}, // link-local, with the metadata of most clouds
        {0x646464C8, 32}, // 100.100.100.200 and the next two: metadata as well
        {0xA83F8110, 32},
        {0xC00000C0, 32},
        {0xE0000000, 3}, // multicast and above
    }};
    return std::ranges::any_of(ranges, [&](const Range4& range) {
        return (address ^ range.first) >> (32 - range.bits) == 0;
    });
}

bool starts_with(const Ipv6& address, std::initializer_list<std::uint8_t> bytes) {
    return std::equal(bytes.begin(), bytes.end(), address.begin());
}

bool is_refused(const Ipv6& address) {
    const auto ipv4_at = [&](std::size_t at) {
        return std::uint32_t{address[at]} << 24 | std::uint32_t{address[at + 1]} << 16 |
               std::uint32_t{address[at + 2]} << 8 | address[at + 3];
    };
    const bool is_mapped = starts_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF});
    const bool is_plain = starts_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}); // :: and ::1
    const bool is_nat64 = starts_with(address, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0});
    if (is_mapped || is_plain || is_nat64) {
        return is_refused(ipv4_at(12));
    }
    if (starts_with(address, {0x20, 0x02})) { // 6to4
        return is_refused(ipv4_at(2));
    }
    const bool is_link_local = address[0] == 0xFE && (address[1] & 0xC0) == 0x80;
    const bool is_metadata = address == parse_ipv6("fd00:ec2::254");
    return is_link_local || is_metadata || address[0] == 0xFF; // the last: multicast
}

bool is_refused_name(std::string_view host) {
    const std::string name = ascii_lower(host);
    static constexpr std::array<std::string_view, 6> names{"localhost",     "localhost.localdomain",
                                                           "ip6-localhost", "ip6-loopback",
                                                           "metadata",      "instance-data"};
    return std::ranges::find(names, name) != names.end() || name.ends_with(".localhost") ||
           name.starts_with("metadata.") || name.starts_with("instance-data.");
}

bool names_this_machine(std::string_view host) {
    if (host.starts_with('[')) {
        return is_refused(*parse_ipv6(host.substr(1, host.size() - 2)));
    }
    if (host.ends_with('.')) {
        host.remove_suffix(1);
    }
    std::uint32_t address = 0;
    switch (parse_numeric(host, address)) {
    case NumericHost::yes:
        return is_refused(address);
    case NumericHost::malformed:
        return true;
    case NumericHost::no:
        break;
    }
    return is_refused_name(host);
}

} // namespace

Result<void> check_web_address(std::string_view text, std::string_view field) {
    const bool is_short = text.size() <= longest_web_address;
    const bool is_plain = std::ranges::all_of(
        text, [](char c) { return c > ' ' && c < '\x7F' && c != '\\' && c != '"'; });
    if (!is_short || !is_plain || !host_of(text)) {
        return fail(ErrorCode::invalid_request,
                    std::string(field) + " must be an http or https address with a host and "
                                         "without a user, at most 2048 characters of ASCII");
    }
    return {};
}

Result<void> check_remote_address(std::string_view text, std::string_view field) {
    TRY(check_web_address(text, field));
    if (names_this_machine(*host_of(text))) {
        return fail(ErrorCode::invalid_request,
                    std::string(field) + " names this machine, its link, or no host at all");
    }
    return {};
}

} // namespace claviger
