// SPDX-License-Identifier: Apache-2.0
// Answers whose bodies are made while they are sent.
#include <thread>

#include <gtest/gtest.h>

#include "server/test_server.h"

namespace claviger {
namespace {

using testing::Client;
using testing::get;
using testing::ObedientStream;
using testing::ReadAnswer;
using testing::TestServer;

constexpr int very_many = 1'000'000; // pieces

class StreamTest : public ::testing::Test {
protected:
    Client connect() {
        if (!server_.server) {
            server_.start();
        }
        return Client(server_.server->port());
    }
    /// What belongs to no connection is gone at once.
    void wait_until_no_stream_lives() {
        while (server_.api.served == 0 || server_.api.streams != 0) {
            std::this_thread::yield();
        }
    }
    static std::string old_get(std::string_view path) {
        return "GET " + std::string(path) +
               " HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    }
    TestServer server_;
};

TEST_F(StreamTest, ComesInChunksAndTheConnectionGoesOn) {
    server_.api.gate.open();
    Client client = connect();
    for (const std::size_t pieces : {0U, 1U, 100U}) {
        const ReadAnswer head = client.ask(get("/stream?" + std::to_string(pieces)));
        EXPECT_EQ(head.status, 200);
        EXPECT_EQ(head.headers.at("transfer-encoding"), "chunked");
        EXPECT_FALSE(head.headers.contains("connection"));
        const auto body = client.read_chunks();
        ASSERT_TRUE(body.has_value());
        EXPECT_EQ(*body, std::string(ObedientStream::piece_bytes * pieces, 'x'));
    }
    EXPECT_EQ(client.ask(get("/inline")).body, "/inline  ");
}

TEST_F(StreamTest, PipelinedRequestsAreAnsweredAfterIt) {
    server_.api.gate.open();
    Client client = connect();
    ASSERT_TRUE(client.send(get("/inline") + get("/stream?20") + get("/worker") + get("/stream?3") +
                            get("/inline")));
    EXPECT_EQ(client.read_answer().body, "/inline  ");
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_EQ(client.read_chunks()->size(), 20 * ObedientStream::piece_bytes);
    EXPECT_EQ(client.read_answer().body, "/worker  ");
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_EQ(client.read_chunks()->size(), 3 * ObedientStream::piece_bytes);
    EXPECT_EQ(client.read_answer().body, "/inline  ");
}

TEST_F(StreamTest, EndsWithTheConnectionForHttp10) {
    server_.api.gate.open();
    Client client = connect();
    const ReadAnswer head = client.ask(old_get("/stream?5"));
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("connection"), "close");
    EXPECT_FALSE(head.headers.contains("transfer-encoding"));
    EXPECT_EQ(client.read_to_end(), std::string(ObedientStream::piece_bytes * 5, 'x'));
    EXPECT_FALSE(client.was_reset());
}

TEST_F(StreamTest, HeadGivesTheHeadAlone) {
    Client client = connect();
    const ReadAnswer head = client.ask("HEAD /stream?5 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("transfer-encoding"), "chunked");
    EXPECT_EQ(client.ask(get("/inline")).body, "/inline  ");
    EXPECT_EQ(server_.api.pieces_made, 0);
    EXPECT_EQ(server_.api.streams, 0);
}

TEST_F(StreamTest, AFailureInTheMiddleIsNoEnd) {
    server_.api.gate.open();
    Client client = connect();
    EXPECT_EQ(client.ask(get("/broken-stream?3")).status, 200);
    EXPECT_EQ(client.read_chunks(), std::nullopt);
    EXPECT_TRUE(client.was_reset());

    Client old = connect();
    EXPECT_EQ(old.ask(old_get("/broken-stream?3")).status, 200);
    old.read_to_end();
    EXPECT_TRUE(old.was_reset()); // else it would look whole
    wait_until_no_stream_lives();
    EXPECT_NE(server_.log.text().find("an answer was cut off: the disk is gone"),
              std::string::npos);
}

TEST_F(StreamTest, IsDroppedWhenTheClientGoesAway) {
    {
        Client client = connect();
        EXPECT_EQ(client.ask(get("/stream?" + std::to_string(very_many))).status, 200);
    }
    wait_until_no_stream_lives();
    EXPECT_LT(server_.api.pieces_made, very_many - 1);
}

TEST_F(StreamTest, IsMadeNoFasterThanItIsRead) {
    server_.options.limits.write_milliseconds = 200;
    Client client = connect();
    ASSERT_TRUE(client.send(get("/stream?" + std::to_string(very_many)))); // and nothing is read
    wait_until_no_stream_lives();
    EXPECT_LT(server_.api.pieces_made, 1'000); // what fits into the buffers of the sockets
    EXPECT_TRUE((client.read_to_end(), client.was_reset()));
}

TEST_F(StreamTest, IsFinishedWhenTheServerStops) {
    Client client = connect();
    EXPECT_EQ(client.ask(get("/stream?10")).status, 200);
    server_.api.gate.wait_for_visitors(1); // it is at its last piece
    {
        const std::jthread stopping([&] { server_.server->stop(); });
        server_.api.gate.open();
        EXPECT_EQ(client.read_chunks()->size(), 10 * ObedientStream::piece_bytes);
        EXPECT_EQ(client.read_to_end(), "");
        client.end_sending();
    }
    EXPECT_EQ(server_.api.streams, 0);
}

TEST_F(StreamTest, AStopDoesNotWaitForEver) {
    server_.options.limits.stop_milliseconds = 200;
    Client client = connect();
    EXPECT_EQ(client.ask(get("/stream?" + std::to_string(very_many))).status, 200);
    server_.server->stop();
    EXPECT_EQ(server_.api.streams, 0);
    EXPECT_EQ(client.read_chunks(), std::nullopt);
}

} // namespace
} // namespace claviger
