// SPDX-License-Identifier: Apache-2.0
#include "server/trusted_proxies.h"

#include <gtest/gtest.h>

namespace claviger {
namespace {

using boost::asio::ip::make_address;

TrustedProxies proxies(const std::vector<std::string>& networks) {
    auto parsed = TrustedProxies::parse(networks);
    EXPECT_TRUE(parsed.has_value());
    return parsed ? *parsed : TrustedProxies();
}

TEST(TrustedProxies, ByDefaultThePeerIsTheClient) {
    EXPECT_EQ(proxies({}).client_address(make_address("10.0.0.9"), "1.2.3.4"), "10.0.0.9");
}

TEST(TrustedProxies, TheRightmostHopThatIsNoProxyIsTheClient) {
    const TrustedProxies known = proxies({"10.0.0.0/8", "192.168.1.1", "fd00::/8"});
    const auto client = [&](const char* peer, const char* hops) {
        return known.client_address(make_address(peer), hops);
    };
    EXPECT_EQ(client("10.0.0.9", "1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(client("10.0.0.9", "6.6.6.6, 1.2.3.4,\t10.1.1.1 ,192.168.1.1"), "1.2.3.4");
    EXPECT_EQ(client("11.0.0.9", "1.2.3.4"), "11.0.0.9");
    EXPECT_EQ(client("192.168.1.2", "1.2.3.4"), "192.168.1.2");
    EXPECT_EQ(client("fd00::1", "2001:db8::1"), "2001:db8::1");
    EXPECT_EQ(client("::ffff:10.0.0.9", "1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(client("10.0.0.9", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
}

TEST(TrustedProxies, WhatCannotBeReadLeavesThePeer) {
    const TrustedProxies known = proxies({"10.0.0.0/8"});
    for (const char* hops : {"", ",", ",,,", " ", "unknown", "1.2.3.4, ,", "1.2.3.4.5", "1.2.3",
                             "for=1.2.3.4", "_hidden", "1.2.3.4, x", "%00"}) {
        EXPECT_EQ(known.client_address(make_address("10.0.0.9"), hops), "10.0.0.9") << hops;
    }
}

TEST(TrustedProxies, NetworksMustBeReadable) {
    for (const char* bad : {"", "10.0.0.0/33", "10.0.0", "x", "::/129", "10.0.0.0/", "/8"}) {
        EXPECT_FALSE(TrustedProxies::parse({bad}).has_value()) << bad;
    }
}

} // namespace
} // namespace claviger
