// SPDX-License-Identifier: Apache-2.0
#include "server/admit.h"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

#include "api/request_target.h"

namespace claviger {
namespace {

using namespace std::string_literals;

const std::string post = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\n";

/// The status of the refusal; 0 when admitted.
int status_of(const std::string& head) {
    const auto admitted = admit(head);
    return admitted ? 0 : admitted.error().status;
}

AdmittedHead admitted(const std::string& head) {
    auto result = admit(head);
    EXPECT_TRUE(result.has_value()) << head << (result ? "" : result.error().detail);
    return result ? *result : AdmittedHead();
}

struct Shape {
    const char* name;
    std::string head;
    int status; // 0: admitted
};
std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    return out << shape.name;
}

class AdmitShape : public ::testing::TestWithParam<Shape> {};

TEST_P(AdmitShape, IsAdmittedOrRefused) {
    EXPECT_EQ(status_of(GetParam().head), GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Framing, AdmitShape,
    ::testing::Values(
        Shape{"plain length", post + "Content-Length: 3\r\n\r\n", 0},
        Shape{"length, then coding",
              post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Shape{"coding, then length",
              post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
        Shape{"equal lengths", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
        Shape{"different lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
        Shape{"list of lengths", post + "Content-Length: 3, 3\r\n\r\n", 400},
        Shape{"list of zeros", post + "Content-Length: 0, 0\r\n\r\n", 400},
        Shape{"length with plus", post + "Content-Length: +3\r\n\r\n", 400},
        Shape{"negative length", post + "Content-Length: -1\r\n\r\n", 400},
        Shape{"hexadecimal length", post + "Content-Length: 0x3\r\n\r\n", 400},
        Shape{"length with blanks around", post + "Content-Length: \t3 \r\n\r\n", 0},
        Shape{"length with a blank inside", post + "Content-Length: 3 3\r\n\r\n", 400},
        Shape{"empty length", post + "Content-Length: \r\n\r\n", 400},
        Shape{"length above 64 bits", post + "Content-Length: 18446744073709551619\r\n\r\n", 400},
        Shape{"unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n", 501},
        Shape{"identity with length",
              post + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n", 501},
        Shape{"chunked is not last", post + "Transfer-Encoding: chunked, identity\r\n\r\n", 501},
        Shape{"two codings", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        Shape{"two coding headers",
              post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
        Shape{"chunked twice",
              post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Shape{"blank before the colon", post + "Transfer-Encoding : chunked\r\n\r\n", 400},
        Shape{"coding after a tab", post + "Transfer-Encoding:\tchunked\r\n\r\n", 0},
        Shape{"vertical tab in coding", post + "Transfer-Encoding: \x0B"s + "chunked\r\n\r\n", 400},
        Shape{"capital coding", post + "Transfer-Encoding: CHUNKED\r\n\r\n", 0},
        Shape{"coding in HTTP/1.0",
              "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Shape{"length as an option",
              post + "Connection: Content-Length\r\nContent-Length: 3\r\n\r\n", 0}));

INSTANTIATE_TEST_SUITE_P(
    Lines, AdmitShape,
    ::testing::Values(
        Shape{"folded line", post + "X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n", 400},
        Shape{"folded by a tab", post + "X-A: b\r\n\tc\r\n\r\n", 400},
        Shape{"folded coding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
        Shape{"bare line feeds", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400},
        Shape{"one bare line feed", "POST / HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n", 400},
        Shape{"bare carriage return", post + "X-A: b\rTransfer-Encoding: chunked\r\n\r\n", 400},
        Shape{"NUL in a value", post + "X-A: b\0c\r\n\r\n"s, 400},
        Shape{"NUL in a name", post + "X\0A: b\r\n\r\n"s, 400},
        Shape{"no colon", post + "FooBar\r\n\r\n", 400},
        Shape{"no name", post + ": x\r\n\r\n", 400},
        Shape{"blank before the first header", "POST / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        Shape{"byte above 127 in a value", post + "X: \xFF\xFE\r\n\r\n", 0},
        Shape{"byte above 127 in a name", post + "X\xFF: 1\r\n\r\n", 400},
        Shape{"DEL in a value", post + "X: a\x7F\r\n\r\n", 400},
        Shape{"tab in a value", post + "X: a\tb\r\n\r\n", 0},
        Shape{"underscore in a name", post + "Content_Length: 3\r\nContent-Length: 0\r\n\r\n", 0},
        Shape{"two Authorization headers",
              post + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400},
        Shape{"two Content-Type headers",
              post + "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n", 400},
        Shape{"Expect that is unknown", post + "Expect: 200-maybe\r\n\r\n", 417},
        Shape{"upgrade by option", post + "Connection: Upgrade, HTTP2-Settings\r\n\r\n", 400},
        Shape{"upgrade by header", post + "Upgrade: h2c\r\n\r\n", 400},
        Shape{"encoded body", post + "Content-Encoding: gzip\r\n\r\n", 415},
        Shape{"identity body", post + "Content-Encoding: identity\r\n\r\n", 0}));

INSTANTIATE_TEST_SUITE_P(
    RequestLine, AdmitShape,
    ::testing::Values(
        Shape{"no Host", "POST /oauth2/token HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
        Shape{"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0},
        Shape{"two Hosts", post + "Host: b\r\n\r\n", 400},
        Shape{"equal Hosts", post + "Host: a\r\n\r\n", 400},
        Shape{"Host with userinfo", "GET / HTTP/1.1\r\nHost: a.example@evil.example\r\n\r\n", 400},
        Shape{"empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400},
        Shape{"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        Shape{"HTTP/1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", 505},
        Shape{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        Shape{"small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"HTTP/0.9", "GET /\r\n\r\n", 400},
        Shape{"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"tabs", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"UTF-8 target", "GET /us\xC3\xA9rs HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"absolute target", "GET http://evil/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"authority target", "GET evil:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"CONNECT", "CONNECT evil:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"asterisk", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Shape{"method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Shape{"no end", "GET / HTTP/1.1\r\nHost: a\r\n", 400}));

TEST(Admit, ReadsWhatTheApiNeeds) {
    const std::string bytes = "PATCH /api/v1/x?a=%20b&c HTTP/1.1\r\nhOST: Runai.Example:8443\r\n"
                              "authorization: Bearer t\r\nContent-type: application/json\r\n"
                              "User-Agent: curl/8 \r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n"
                              "X-Forwarded-For: 9.9.9.9\r\nContent-Length: 12\r\n"
                              "Expect: 100-continue\r\n\r\n";
    const AdmittedHead head = admitted(bytes);
    EXPECT_EQ(head.method, HttpMethod::patch);
    EXPECT_EQ(head.path, "/api/v1/x");
    EXPECT_EQ(head.query, "a=%20b&c");
    EXPECT_EQ(head.host, "runai.example");
    EXPECT_EQ(head.authorization, "Bearer t");
    EXPECT_EQ(head.content_type, "application/json");
    EXPECT_EQ(head.forwarded_for, "1.2.3.4, 5.6.7.8,9.9.9.9");
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_FALSE(head.chunked);
    EXPECT_FALSE(head.close);
}

TEST(Admit, TakesAQuestionMarkWithNothingAfterIt) {
    const std::string bytes = "GET /api? HTTP/1.1\r\nHost: a\r\n\r\n";
    const AdmittedHead head = admitted(bytes);
    EXPECT_EQ(head.path, "/api");
    EXPECT_EQ(head.query, "");
}

TEST(Admit, UnknownMethodsAreForTheRouteToRefuse) {
    EXPECT_EQ(admitted("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n").method, HttpMethod::other);
    EXPECT_EQ(admitted("get / HTTP/1.1\r\nHost: a\r\n\r\n").method, HttpMethod::other);
}

TEST(Admit, HeadersWithUnderscoresAreNobodys) {
    const std::string bytes = post + "X_Forwarded_For: 10.0.0.1\r\n\r\n";
    const AdmittedHead head = admitted(bytes);
    EXPECT_EQ(head.forwarded_for, "");
}

TEST(Admit, SaysWhetherTheConnectionIsKept) {
    const auto close = [](const std::string& version, const std::string& headers) {
        return admitted("GET / HTTP/" + version + "\r\nHost: a\r\n" + headers + "\r\n").close;
    };
    EXPECT_FALSE(close("1.1", ""));
    EXPECT_TRUE(close("1.1", "Connection: close\r\n"));
    EXPECT_TRUE(close("1.1", "Connection: Close, keep-alive\r\n"));
    EXPECT_TRUE(close("1.1", "Connection: keep-alive\r\nConnection: x, close\r\n"));
    EXPECT_TRUE(close("1.0", ""));
    EXPECT_FALSE(close("1.0", "Connection: Keep-Alive\r\n"));
    EXPECT_FALSE(close("1.1", "Connection: ,,\r\n"));
}

TEST(Admit, NobodyContinuesInHttp10) {
    EXPECT_FALSE(admitted("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
                     .expects_continue);
}

TEST(Admit, CountsHeaderLines) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < most_header_lines; ++i) {
        head += "X: 1\r\n";
    }
    EXPECT_EQ(status_of(head + "\r\n"), 0);
    EXPECT_EQ(status_of(head + "X: 1\r\n\r\n"), 431);
}

TEST(Admit, LimitsTheTarget) {
    const auto get = [](std::size_t size) {
        return status_of("GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n");
    };
    EXPECT_EQ(get(longest_target), 0);
    EXPECT_EQ(get(longest_target + 1), 414);
}

TEST(RequestTarget, OnlyCanonicalPathsAreRead) {
    for (const char* good : {"/", "/a", "/a/b", "/a.b/c_d~e-f", "/a/%C3%A9", "/a%20b", "/a/...",
                             "/.well-known/jwks.json", "/a:b@c", "/x?y/../z"}) {
        EXPECT_TRUE(read_target(good).has_value()) << good;
    }
    for (const char* bad : {"",       "a",         "//",    "/a//b",    "//a",
                            "/a/",    "/./a",      "/a/.",  "/a/..",    "/healthz/../api",
                            "/a;x=y", "/%2e%2e/a", "/%2E",  "/a%2Fb",   "/a%5Cb",
                            "/a%25b", "/%252e",    "/%61",  "/%7E",     "/a%0d%0aX",
                            "/a%00",  "/a%7F",     "/a%C3", "/a%C0%AF", "/a%",
                            "/a%4",   "/a%zz",     "/a\\b", "/a<b",     "/a|b",
                            "/a{b}",  "/a#b",      "/a\"b", "/a`b",     "/a^b",
                            "?a"}) {
        EXPECT_FALSE(read_target(bad).has_value()) << bad;
    }
}

TEST(RequestTarget, HostNames) {
    EXPECT_EQ(host_name_of("A.Example"), "a.example");
    EXPECT_EQ(host_name_of("a:8080"), "a");
    EXPECT_EQ(host_name_of("127.0.0.1:1"), "127.0.0.1");
    EXPECT_EQ(host_name_of("[::1]:443"), "[::1]");
    for (const std::string bad : {"", ":80", "a:", "a:b", "a:65536", "a:-1", "a b", "a/b", "a?b",
                                  "[::1", "[]", "[::1]x", "a@b", "a_b", "\xC3\xA9"}) {
        EXPECT_EQ(host_name_of(bad), "") << bad;
    }
    EXPECT_EQ(host_name_of(std::string(254, 'a')), "");
}

TEST(ScanHead, FindsTheEndHoweverTheBytesArrive) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest\r\n\r\n";
    const std::size_t size = bytes.find("rest");
    for (std::size_t first = 0; first < bytes.size(); ++first) {
        HeadScan scan = scan_head(std::string_view(bytes).substr(0, first), 0);
        if (scan.head_size == 0) {
            scan = scan_head(bytes, scan.scanned);
        }
        EXPECT_EQ(scan.head_size, size) << first;
        EXPECT_FALSE(scan.malformed);
    }
}

TEST(ScanHead, GivesUpAtABareLineFeed) {
    EXPECT_TRUE(scan_head("\n", 0).malformed);
    EXPECT_TRUE(scan_head("GET / HTTP/1.1\n", 0).malformed);
    EXPECT_TRUE(scan_head("GET / HTTP/1.1\r\nHost: a\nX", 0).malformed);
    EXPECT_FALSE(scan_head("GET / HTTP/1.1\r\nHost: a\r", 0).malformed);
}

TEST(ScanHead, AnEmptyLineFirstIsAWholeHead) {
    EXPECT_EQ(scan_head("\r\nGET / HTTP/1.1\r\n\r\n", 0).head_size, 2U);
}

} // namespace
} // namespace claviger
