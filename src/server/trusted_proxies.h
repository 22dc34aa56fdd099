// SPDX-License-Identifier: Apache-2.0
// Whose word about the client's address is believed (X-Forwarded-For). By default nobody's.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace claviger {

class TrustedProxies {
public:
    /// Addresses or CIDR networks; `invalid_request` names the one that cannot be read.
    static Result<TrustedProxies> parse(const std::vector<std::string>& networks);

    /// The client's address: the peer itself, or, behind trusted proxies, the rightmost hop of
    /// X-Forwarded-For that is not one of them. Unreadable hops end the search at the peer.
    std::string client_address(const boost::asio::ip::address& peer,
                               std::string_view forwarded_for) const;

    /// Whether the peer is a trusted proxy.
    bool contains(const boost::asio::ip::address& address) const;

private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
};

} // namespace claviger
