// SPDX-License-Identifier: Apache-2.0
#include "cli/option_values.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "auth/names.h"
#include "base/text.h"

namespace claviger {
namespace {

bool is_address(int family, std::string_view text) {
    in6_addr address{};
    return inet_pton(family, std::string(text).c_str(), &address) == 1;
}

bool is_port(std::string_view text) {
    const auto port = parse_integer<std::uint16_t>(text);
    return port && *port != 0;
}

/// "host", "host:443", "[::1]", "[::1]:443".
bool is_authority(std::string_view text) {
    std::string_view host = text;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos || !is_address(AF_INET6, text.substr(1, end - 1))) {
            return false;
        }
        rest = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? "" : text.substr(colon);
        if (!is_host_name(host)) {
            return false;
        }
    }
    return rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)));
}

} // namespace

std::string SocketAddress::text() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<SocketAddress> parse_socket_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
    if (!port) {
        return std::nullopt;
    }
    if (host == "localhost") {
        host = "127.0.0.1";
    }
    if (is_address(AF_INET, host)) {
        return SocketAddress{std::string(host), *port};
    }
    if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (is_address(AF_INET6, host)) {
            return SocketAddress{std::string(host), *port};
        }
    }
    return std::nullopt;
}

std::optional<std::string> parse_public_url(std::string_view text) {
    const std::string_view url = text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
    std::string_view rest;
    if (url.starts_with("https://")) {
        rest = url.substr(8);
    } else if (url.starts_with("http://")) {
        rest = url.substr(7);
    } else {
        return std::nullopt;
    }
    const std::size_t slash = rest.find('/');
    const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
    const bool plain_path =
        path.find_first_not_of(
            "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") ==
            std::string_view::npos &&
        path.find("//") == std::string_view::npos && !path.ends_with('/');
    if (!plain_path || !is_authority(rest.substr(0, slash))) {
        return std::nullopt;
    }
    return std::string(url);
}

std::optional<std::string> parse_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    const bool is_v4 = is_address(AF_INET, address);
    if (!is_v4 && !is_address(AF_INET6, address)) {
        return std::nullopt;
    }
    const unsigned longest = is_v4 ? 32 : 128;
    unsigned length = longest;
    if (slash != std::string_view::npos) {
        const auto given = parse_integer<unsigned>(text.substr(slash + 1));
        if (!given || *given > longest) {
            return std::nullopt;
        }
        length = *given;
    }
    return std::string(address) + "/" + std::to_string(length);
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string out = "\"";
    for (const char c : text.substr(0, longest)) {
        const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        out += is_control ? '?' : c;
    }
    out += text.size() > longest ? "...\"" : "\"";
    return out;
}

} // namespace claviger
