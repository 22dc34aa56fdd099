// SPDX-License-Identifier: Apache-2.0
// Networks of IPv4 and IPv6 addresses ("10.0.0.0/8", "2001:db8::/32", a single address), and
// whether an address is in one of them. An IPv4 address inside IPv6 (RFC 4291 2.5.5.2) is the IPv4
// address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace claviger {

class AddressList {
public:
    /// False, and nothing is added, for what is no network or has bits behind its length.
    bool add(std::string_view network);
    bool contains(std::string_view address) const;
    /// Whether every address of `other` is in one network of this list.
    bool includes(const AddressList& other) const;

private:
    struct Network {
        std::array<std::uint8_t, 16> bytes{};
        unsigned length = 128; // bits; of IPv4, 96 and its own
    };
    static std::optional<Network> parse_address(std::string_view text);
    static bool covers(const Network& network, const Network& part);

    std::vector<Network> networks_;
};

} // namespace claviger
