// SPDX-License-Identifier: Apache-2.0
#include "server/trusted_proxies.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace claviger {

namespace ip = boost::asio::ip;

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& networks) {
    TrustedProxies proxies;
    for (const std::string& text : networks) {
        boost::system::error_code ec;
        const bool v6 = text.find(':') != std::string::npos;
        const bool has_length = text.find('/') != std::string::npos;
        const std::string network = has_length ? text : text + (v6 ? "/128" : "/32");
        if (v6) {
            proxies.v6_.push_back(ip::make_network_v6(network, ec));
        } else {
            proxies.v4_.push_back(ip::make_network_v4(network, ec));
        }
        if (ec) {
            return fail(ErrorCode::invalid_request,
                        "trusted-proxy: " + text + " is neither an address nor a network");
        }
    }
    return proxies;
}

bool TrustedProxies::contains(const ip::address& address) const {
    if (address.is_v4()) {
        return std::ranges::any_of(v4_, [&](const ip::network_v4& network) {
            return ip::network_v4(address.to_v4(), network.prefix_length()).network() ==
                   network.network();
        });
    }
    const ip::address_v6 v6 = address.to_v6();
    if (v6.is_v4_mapped()) {
        return contains(ip::make_address_v4(ip::v4_mapped, v6));
    }
    return std::ranges::any_of(v6_, [&](const ip::network_v6& network) {
        return ip::network_v6(v6, network.prefix_length()).network() == network.network();
    });
}

std::string TrustedProxies::client_address(const ip::address& peer,
                                           std::string_view forwarded_for) const {
    ip::address client = peer;
    std::string_view hops = forwarded_for;
    while (!hops.empty() && contains(client)) {
        const std::size_t comma = hops.rfind(',');
        std::string_view hop = comma == std::string_view::npos ? hops : hops.substr(comma + 1);
        hops = comma == std::string_view::npos ? "" : hops.substr(0, comma);
        hop.remove_prefix(std::min(hop.find_first_not_of(" \t"), hop.size()));
        hop = hop.substr(0, hop.find_last_not_of(" \t") + 1);
        boost::system::error_code ec;
        const ip::address named = ip::make_address(std::string(hop), ec);
        if (ec) {
            return peer.to_string();
        }
        client = named;
    }
    return client.to_string();
}

} // namespace claviger
