// SPDX-License-Identifier: Apache-2.0
#include "cli/option_values.h"

#include <vector>

#include <gtest/gtest.h>

#include "cli/suggestion.h"

namespace claviger {
namespace {

TEST(SocketAddressTest, ReadsAndWritesAddresses) {
    for (const char* text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[fe80::1]:1"}) {
        const auto address = parse_socket_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->text(), text);
    }
    EXPECT_EQ(parse_socket_address("localhost:80")->text(), "127.0.0.1:80");
}

TEST(SocketAddressTest, RefusesOtherText) {
    for (const char* text :
         {"", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
          "127.0.0.1:80x", "127.1:80", "::1:80", "[::1]", "[]:80", "[127.0.0.1]:80",
          "example.com:80", " 127.0.0.1:80", "[::1:80"}) {
        EXPECT_FALSE(parse_socket_address(text)) << text;
    }
}

TEST(PublicUrlTest, DropsOneTrailingSlash) {
    EXPECT_EQ(parse_public_url("https://auth.example.com/"), "https://auth.example.com");
    EXPECT_EQ(parse_public_url("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
    EXPECT_EQ(parse_public_url("https://[::1]:8443/auth/"), "https://[::1]:8443/auth");
}

TEST(PublicUrlTest, RefusesWhatIsNoBaseOfAServer) {
    for (const char* text :
         {"", "auth.example.com", "ftp://example.com", "https://", "https:///path",
          "https://user@example.com", "https://example.com?a=b", "https://example.com#x",
          "https://example.com:0", "https://example.com:99999",
          "https://example.com:", "https://[::1", "https://Example.com", "https://example.com//x",
          "https://example.com/a b", "https://example.com/%2e", "https://example.com//"}) {
        EXPECT_FALSE(parse_public_url(text)) << text;
    }
}

TEST(NetworkTest, CompletesBareAddresses) {
    EXPECT_EQ(parse_network("10.0.0.0/8"), "10.0.0.0/8");
    EXPECT_EQ(parse_network("0.0.0.0/0"), "0.0.0.0/0");
    EXPECT_EQ(parse_network("192.0.2.1"), "192.0.2.1/32");
    EXPECT_EQ(parse_network("fd00::/8"), "fd00::/8");
    EXPECT_EQ(parse_network("::1"), "::1/128");
}

TEST(NetworkTest, RefusesOtherText) {
    for (const char* text : {"", "/", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0/8",
                             "10.0.0.0/-1", "10.0.0.0/8 ", "example.com"}) {
        EXPECT_FALSE(parse_network(text)) << text;
    }
}

TEST(InQuotesTest, KeepsMessagesOnOnePrintableLine) {
    EXPECT_EQ(in_quotes("plain"), "\"plain\"");
    EXPECT_EQ(in_quotes("a\nclaviger: forged\x1b[2J\x7f"), "\"a?claviger: forged?[2J?\"");
    EXPECT_EQ(in_quotes(std::string(81, 'x')), "\"" + std::string(80, 'x') + "...\"");
}

TEST(SuggestionTest, NamesTheNearestWordOnly) {
    const std::vector<std::string> known = {"serve", "tenant", "token-lifetime", "tls-key"};
    EXPECT_EQ(suggest("serv", known), "serve");
    EXPECT_EQ(suggest("tenants", known), "tenant");
    EXPECT_EQ(suggest("token_lifetme", known), "token-lifetime");
    EXPECT_EQ(suggest("tls-kay", known), "tls-key");
    EXPECT_EQ(suggest("banana", known), std::nullopt);
    EXPECT_EQ(suggest("", known), std::nullopt);
    EXPECT_EQ(suggest(std::string(100'000, 't'), known), std::nullopt);
    EXPECT_EQ(did_you_mean("serv", known, "else"), "did you mean \"serve\"?");
    EXPECT_EQ(did_you_mean("banana", known, "else"), "else");
}

} // namespace
} // namespace claviger
