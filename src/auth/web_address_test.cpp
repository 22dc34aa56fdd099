// SPDX-License-Identifier: Apache-2.0
#include "auth/web_address.h"

#include <gtest/gtest.h>
#include <string>

namespace claviger {
namespace {

TEST(WebAddresses, HaveASchemeAndAHost) {
    for (const char* address :
         {"http://a", "https://a.example/x?y=z#f", "HTTPS://A.EXAMPLE:65535", "http://localhost/",
          "http://[::1]:80/", "http://127.0.0.1", "https://a_b-c.example./", "https://a?x"}) {
        EXPECT_TRUE(check_web_address(address, "uri")) << address;
    }
    for (const char* address : {"",
                                "a",
                                "//a",
                                "/a",
                                "ftp://a",
                                "javascript:alert(1)",
                                "data:text/html,x",
                                "http:/a",
                                "http:a",
                                "http://",
                                "http:///a",
                                "http://:80",
                                "http://a:",
                                "http://a:0",
                                "http://a:65536",
                                "http://a:+1",
                                "http://a:8x",
                                "http://u@a",
                                "http://u:p@a/",
                                "http://a b",
                                " http://a",
                                "http://a\n",
                                "http://a\x7f",
                                "http://\xC3\xA9/",
                                "http://a\\b",
                                "http://a\"b",
                                "http://a%2e/",
                                "http://[::1",
                                "http://[::1]x",
                                "http://[x]/",
                                "http://[fe80::1%eth0]/",
                                "http://[127.0.0.1]/",
                                "http://[]/",
                                "http://a,b/",
                                "http://a;b/"}) {
        const auto checked = check_web_address(address, "uri");
        ASSERT_FALSE(checked) << address;
        EXPECT_EQ(checked.error().code(), ErrorCode::invalid_request);
        EXPECT_TRUE(checked.error().detail().starts_with("uri "));
    }
    const std::string start = "http://a/";
    EXPECT_TRUE(
        check_web_address(start + std::string(longest_web_address - start.size(), 'x'), "u"));
    EXPECT_FALSE(
        check_web_address(start + std::string(longest_web_address - start.size() + 1, 'x'), "u"));
    EXPECT_FALSE(check_web_address("http://" + std::string(254, 'a'), "u"));
}

/// Every spelling of this machine, of its link and of clouds' metadata.
TEST(RemoteAddresses, DoNotNameThisMachine) {
    for (const char* host : {"127.0.0.1",
                             "127.255.255.254",
                             "127.1",
                             "127.0.1",
                             "2130706433",
                             "0x7f000001",
                             "0X7F.0.0.1",
                             "0177.0.0.1",
                             "017700000001",
                             "127.0.0.1.",
                             "0",
                             "0.0.0.0",
                             "0.1.2.3",
                             "169.254.169.254",
                             "169.254.0.1",
                             "2852039166",
                             "0xa9fea9fe",
                             "0xA9.0xFE.0xA9.0xFE",
                             "100.100.100.200",
                             "168.63.129.16",
                             "192.0.0.192",
                             "224.0.0.1",
                             "255.255.255.255",
                             "[::]",
                             "[::1]",
                             "[0:0:0:0:0:0:0:1]",
                             "[::ffff:127.0.0.1]",
                             "[::ffff:7f00:1]",
                             "[::ffff:169.254.169.254]",
                             "[::127.0.0.1]",
                             "[64:ff9b::127.0.0.1]",
                             "[64:ff9b::a9fe:a9fe]",
                             "[2002:7f00:1::]",
                             "[2002:a9fe:a9fe::1]",
                             "[fe80::1]",
                             "[febf::1]",
                             "[ff02::1]",
                             "[fd00:ec2::254]",
                             "localhost",
                             "LocalHost",
                             "localhost.",
                             "a.localhost",
                             "localhost.localdomain",
                             "ip6-localhost",
                             "ip6-loopback",
                             "metadata",
                             "metadata.google.internal",
                             "METADATA.azure.internal",
                             "instance-data",
                             "instance-data.ec2.internal"}) {
        for (const std::string& address :
             {"http://" + std::string(host), "https://" + std::string(host) + ":8080/x"}) {
            const auto checked = check_remote_address(address, "idpBaseUrl");
            ASSERT_FALSE(checked) << address;
            EXPECT_EQ(checked.error().code(), ErrorCode::invalid_request);
        }
    }
}

/// What looks like a number and is none would be read by each resolver in its own way.
TEST(RemoteAddresses, AreNotHalfNumbers) {
    for (const char* host :
         {"1.2.3.4.5", "256.1.1.1", "1.2.3.256", "1.2.65536", "1.16777216", "4294967296",
          "0x100000000", "08.1.1.1", "1.2.3.08", "a.1", "1..2", "a.0x7f", ".", "0x7g.1"}) {
        EXPECT_FALSE(check_remote_address("http://" + std::string(host) + "/", "u")) << host;
    }
}

TEST(RemoteAddresses, MayBeInPrivateNetworks) {
    for (const char* host :
         {"10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "8.8.8.8", "0x08.8.8.8",
          "134744072", "[fd00::1]", "[2001:db8::1]", "[::ffff:10.0.0.1]", "[64:ff9b::808:808]",
          "idp", "idp.example", "notlocalhost", "localhost.example", "my-metadata.example",
          "127.0.0.1.nip.example", "1.example", "0x7f.example"}) {
        EXPECT_TRUE(check_remote_address("https://" + std::string(host) + "/", "u")) << host;
    }
}

} // namespace
} // namespace claviger
