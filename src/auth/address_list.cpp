// SPDX-License-Identifier: Apache-2.0
#include "auth/address_list.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>

#include "base/text.h"

namespace claviger {
namespace {

constexpr unsigned v4_prefix = 96; // bits of ::ffff:0:0/96
constexpr std::array<std::uint8_t, 12> v4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool bit_of(const std::array<std::uint8_t, 16>& bytes, unsigned place) {
    return (bytes[place / 8] >> (7 - place % 8) & 1) != 0;
}

} // namespace

std::optional<AddressList::Network> AddressList::parse_address(std::string_view text) {
    const std::string zero_ended(text);
    Network network;
    if (::inet_pton(AF_INET6, zero_ended.c_str(), network.bytes.data()) == 1) {
        return network;
    }
    std::ranges::copy(v4_mapped, network.bytes.begin());
    const bool is_v4 = ::inet_pton(AF_INET, zero_ended.c_str(), &network.bytes[12]) == 1;
    return is_v4 ? std::optional(network) : std::nullopt;
}

bool AddressList::covers(const Network& network, const Network& part) {
    if (part.length < network.length) {
        return false;
    }
    const unsigned whole = network.length / 8;
    const unsigned rest = network.length % 8;
    return std::equal(network.bytes.begin(), network.bytes.begin() + whole, part.bytes.begin()) &&
           (rest == 0 || (network.bytes[whole] ^ part.bytes[whole]) >> (8 - rest) == 0);
}

bool AddressList::add(std::string_view network) {
    const std::size_t slash = network.find('/');
    const std::string_view address = network.substr(0, slash);
    auto parsed = parse_address(address);
    if (!parsed || address.contains('\0')) {
        return false;
    }
    const bool is_v4 = !address.contains(':');
    if (slash != std::string_view::npos) {
        const auto length = parse_integer<unsigned>(network.substr(slash + 1));
        if (!length || *length > (is_v4 ? 32U : 128U)) {
            return false;
        }
        parsed->length = *length + (is_v4 ? v4_prefix : 0U);
    }
    for (unsigned place = parsed->length; place < 128; ++place) {
        if (bit_of(parsed->bytes, place)) {
            return false;
        }
    }
    networks_.push_back(*parsed);
    return true;
}

bool AddressList::contains(std::string_view address) const {
    const auto parsed = parse_address(address.substr(0, address.find('%'))); // without the zone
    return parsed && std::ranges::any_of(networks_, [&](const Network& network) {
               return covers(network, *parsed);
           });
}

bool AddressList::includes(const AddressList& other) const {
    return std::ranges::all_of(other.networks_, [&](const Network& part) {
        return std::ranges::any_of(networks_,
                                   [&](const Network& network) { return covers(network, part); });
    });
}

} // namespace claviger
