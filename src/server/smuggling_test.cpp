// SPDX-License-Identifier: Apache-2.0
// Messages that two readers of the same bytes would split differently: one refusal, the connection
// closes, and what follows is never taken for a request.
#include "server/admit.h"
#include "server/test_server.h"

namespace claviger {
namespace {

using namespace std::string_literals;
using testing::Client;
using testing::get;
using testing::TestServer;

const std::string head = "POST /inline HTTP/1.1\r\nHost: a\r\n";
const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
const std::string smuggled = get("/smuggled");

struct Attack {
    const char* name;
    std::string bytes;
    int status;
};
std::ostream& operator<<(std::ostream& out, const Attack& attack) {
    return out << attack.name;
}

class Smuggling : public ::testing::TestWithParam<Attack> {
protected:
    static void SetUpTestSuite() {
        server_ = new TestServer;
        server_->start();
    }
    static void TearDownTestSuite() { delete server_; }
    static TestServer* server_;
};
TestServer* Smuggling::server_ = nullptr;

TEST_P(Smuggling, IsRefusedOnceAndEndsTheConnection) {
    const int served = server_->api.served;
    Client client(server_->server->port());
    client.send(GetParam().bytes + smuggled); // the server may close before all is sent
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, GetParam().status);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(server_->api.served, served);
}

INSTANTIATE_TEST_SUITE_P(
    Heads, Smuggling,
    ::testing::Values(
        Attack{"length, then coding",
               head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Attack{"coding, then length",
               head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n", 400},
        Attack{"different lengths", head + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n", 400},
        Attack{"equal lengths", head + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
        Attack{"list of lengths", head + "Content-Length: 0, 0\r\n\r\n", 400},
        Attack{"length with plus", head + "Content-Length: +0\r\n\r\n", 400},
        Attack{"length above 64 bits", head + "Content-Length: 18446744073709551616\r\n\r\n", 400},
        Attack{"unknown coding", head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        Attack{"chunked is not last",
               head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
        Attack{"gzip, chunked", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        Attack{"blank before the colon", head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
               400},
        Attack{"coding in HTTP/1.0",
               "POST /inline HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
               400},
        Attack{"folded header", head + "X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n", 400},
        Attack{"folded coding", head + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
        Attack{"bare line feeds", "POST /inline HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400},
        Attack{"bare carriage return", head + "X-A: b\rTransfer-Encoding: chunked\r\n\r\n", 400},
        Attack{"NUL in a value", head + "X-A: b\0c\r\n\r\n"s, 400},
        Attack{"no Host", "POST /inline HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
        Attack{"two Hosts", head + "Host: evil.example\r\nContent-Length: 0\r\n\r\n", 400},
        Attack{"absolute target", "GET http://evil.example/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Attack{"authority target", "GET evil.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Attack{"UTF-8 target", "GET /us\xC3\xA9rs HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Attack{"HTTP/0.9", "GET /inline\r\n\r\n", 400},
        Attack{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Attack{"h2c upgrade",
               head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 0\r\n\r\n",
               400},
        Attack{"empty line first", "\r\n", 400},
        Attack{"no request at all", "GARBAGE\r\n\r\n", 400}));

INSTANTIATE_TEST_SUITE_P(
    Chunks, Smuggling,
    ::testing::Values(Attack{"bare line feed in an extension",
                             chunked + "3;a\nx\r\nabc\r\n0\r\n\r\n", 400},
                      Attack{"hexadecimal prefix", chunked + "0x3\r\nabc\r\n0\r\n\r\n", 400},
                      Attack{"size with plus", chunked + "+3\r\nabc\r\n0\r\n\r\n", 400},
                      Attack{"size above 64 bits", chunked + "fffffffffffffffff\r\nabc\r\n", 400},
                      Attack{"no line break after a chunk", chunked + "3\r\nabcXX0\r\n\r\n", 400},
                      Attack{"bare line feeds", chunked + "3\nabc\n0\n\n", 400},
                      Attack{"endless size line", chunked + "3;" + std::string(40'000, 'x'), 400},
                      Attack{"endless trailer",
                             chunked + "0\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", 400}));

} // namespace
} // namespace claviger
