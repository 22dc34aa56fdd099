// SPDX-License-Identifier: Apache-2.0
// The values of options as text: addresses, URLs, networks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claviger {

/// An IP address and a port.
struct SocketAddress {
    std::string host; // "127.0.0.1", "::1": an address, without brackets
    std::uint16_t port = 0;

    /// "127.0.0.1:8080", "[::1]:8080".
    std::string text() const;
    friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
};

/// "127.0.0.1:8080", "[::1]:8080" or "localhost:8080" (which is 127.0.0.1).
std::optional<SocketAddress> parse_socket_address(std::string_view text);

/// An http or https URL of a server: no user, query or fragment; a trailing slash is dropped.
std::optional<std::string> parse_public_url(std::string_view text);

/// "10.0.0.0/8", "fd00::/8"; a bare address is a network of one.
std::optional<std::string> parse_network(std::string_view text);

/// `text` in quotes for a message: on one line, printable, at most 80 bytes of it.
std::string in_quotes(std::string_view text);

} // namespace claviger
