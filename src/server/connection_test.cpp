// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"

#include <gtest/gtest.h>

#include "server/admit.h"
#include "server/test_server.h"

namespace claviger {
namespace {

using testing::Client;
using testing::get;
using testing::post;
using testing::ReadAnswer;
using testing::TestServer;

class ConnectionTest : public ::testing::Test {
protected:
    Client connect() {
        if (!server_.server) {
            server_.start();
        }
        return Client(server_.server->port());
    }
    TestServer server_;
};

TEST_F(ConnectionTest, IsKeptBetweenRequests) {
    Client client = connect();
    std::string last_id;
    for (int i = 0; i < 3; ++i) {
        const ReadAnswer answer = client.ask(get("/inline?n=" + std::to_string(i)));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "/inline n=" + std::to_string(i) + " ");
        EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
        EXPECT_EQ(answer.headers.at("x-request-id").size(), 36U);
        EXPECT_NE(answer.headers.at("x-request-id"),
                  std::exchange(last_id, answer.headers.at("x-request-id")));
    }
}

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOrder) {
    Client client = connect();
    std::string requests;
    for (int i = 0; i < 50; ++i) {
        requests += post(i % 7 == 3 ? "/worker" : "/inline", std::to_string(i));
    }
    ASSERT_TRUE(client.send(requests));
    server_.api.gate.open();
    for (int i = 0; i < 50; ++i) {
        const ReadAnswer answer = client.read_answer();
        ASSERT_EQ(answer.body, (i % 7 == 3 ? "/worker  " : "/inline  ") + std::to_string(i));
    }
}

TEST_F(ConnectionTest, AnswersTwoThousandPipelinedRequests) {
    Client client = connect();
    std::string requests;
    for (int i = 0; i < 2000; ++i) {
        requests += get("/inline");
    }
    std::thread sender([&] { EXPECT_TRUE(client.send(requests)); });
    for (int i = 0; i < 2000; ++i) {
        ASSERT_EQ(client.read_answer().status, 200);
    }
    sender.join();
}

TEST_F(ConnectionTest, AnAnswerDoesNotWaitForTheRestOfTheNextRequest) {
    Client client = connect();
    const ReadAnswer answer = client.ask(get("/inline") + "GET /sec");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(client.ask("ond HTTP/1.1\r\nHost: a\r\n\r\n").body, "/second  ");
}

TEST_F(ConnectionTest, AnAnswerDoesNotWaitForTheWorkOfTheNextRequest) {
    Client client = connect();
    EXPECT_EQ(client.ask(get("/inline") + get("/worker")).body, "/inline  ");
    server_.api.gate.open();
    EXPECT_EQ(client.read_answer().body, "/worker  ");
}

TEST_F(ConnectionTest, TakesRequestsByteByByte) {
    Client client = connect();
    for (const char c : post("/inline", "abc")) {
        ASSERT_TRUE(client.send(std::string(1, c)));
    }
    EXPECT_EQ(client.read_answer().body, "/inline  abc");
}

TEST_F(ConnectionTest, TakesChunkedBodiesUpToTheLimit) {
    Client client = connect();
    const std::string head =
        "POST /inline HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(client.ask(head + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").body, "/inline  abcde");
    const std::string part = "200\r\n" + std::string(512, 'x') + "\r\n";
    EXPECT_EQ(client.ask(head + part + part + "0\r\n\r\n").body.size(), 9U + 1024U);
    EXPECT_EQ(client.ask(head + part + part + "1\r\nx\r\n0\r\n\r\n").status, 413);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ConnectionTest, AnswersTooLargeABodyBeforeReadingIt) {
    Client client = connect();
    EXPECT_EQ(client
                  .ask("POST /inline HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n"
                       "Expect: 100-continue\r\n\r\n")
                  .status,
              413);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(server_.api.served, 0);
}

TEST_F(ConnectionTest, InvitesABodyThatIsExpected) {
    Client client = connect();
    ASSERT_TRUE(client.send("POST /inline HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                            "Expect: 100-continue\r\n\r\n"));
    EXPECT_EQ(client.read_answer().status, 100);
    EXPECT_EQ(client.ask("abc").body, "/inline  abc");
}

TEST_F(ConnectionTest, DropsTrailersAndCloses) {
    Client client = connect();
    const ReadAnswer answer =
        client.ask("POST /inline HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n" +
                   get("/smuggled"));
    EXPECT_EQ(answer.body, "/inline  abc");
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(server_.api.served, 1);
}

TEST_F(ConnectionTest, HeadGetsNoBodyAndKeepsTheFraming) {
    Client client = connect();
    ASSERT_TRUE(client.send("HEAD /inline HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next")));
    const ReadAnswer head = client.read_answer(false);
    EXPECT_EQ(head.headers.at("content-length"), "9");
    EXPECT_EQ(client.read_answer().body, "/next  ");
}

TEST_F(ConnectionTest, OtherMethodsAndEmptyAnswersPassThrough) {
    Client client = connect();
    EXPECT_EQ(client.ask("TRACE /inline HTTP/1.1\r\nHost: a\r\n\r\n").headers.at("allow"), "GET");
    EXPECT_EQ(client.ask("DELETE /inline HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
    EXPECT_EQ(client.ask("OPTIONS /inline HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

TEST_F(ConnectionTest, SpeaksHttp10) {
    Client kept = connect();
    const std::string keep = "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_EQ(kept.ask(keep).headers.at("connection"), "keep-alive");
    EXPECT_EQ(kept.ask("GET /b HTTP/1.0\r\n\r\n").headers.at("connection"), "close");
    EXPECT_TRUE(kept.is_closed());
}

TEST_F(ConnectionTest, AnswersAClientThatHasStoppedSending) {
    Client client = connect();
    ASSERT_TRUE(client.send(get("/inline")));
    client.end_sending();
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ConnectionTest, RefusesLongHeads) {
    Client client = connect();
    EXPECT_EQ(client.ask(get("/inline", "X: " + std::string(9000, 'a') + "\r\n")).status, 431);
    EXPECT_TRUE(client.is_closed());
    Client endless = connect();
    EXPECT_EQ(endless.ask("GET /" + std::string(longest_head, 'a')).status, 431);
    Client exact = connect();
    std::string head = get("/inline", "X: \r\n");
    head.insert(head.size() - 4, std::string(longest_head - head.size(), 'a'));
    EXPECT_EQ(exact.ask(head).status, 200);
}

TEST_F(ConnectionTest, ASlowHeadIsEnded) {
    server_.options.limits.head_milliseconds = 200;
    Client client = connect();
    EXPECT_EQ(client.ask("GET / HTTP/1.1\r\n").status, 408);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ConnectionTest, ASlowBodyIsEnded) {
    server_.options.limits.body_milliseconds = 200;
    Client client = connect();
    EXPECT_EQ(client.ask("POST /inline HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").status,
              408);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(server_.api.served, 0);
}

TEST_F(ConnectionTest, AnIdleConnectionIsClosedWithoutAWord) {
    server_.options.limits.idle_milliseconds = 200;
    Client client = connect();
    EXPECT_EQ(client.ask(get("/inline")).status, 200);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ConnectionTest, AClientThatDoesNotReadIsClosed) {
    server_.options.limits.write_milliseconds = 200;
    Client client = connect();
    ASSERT_TRUE(client.send(get("/megabytes")));
    Client scrape(server_.server->metrics_port());
    std::string figures;
    bool was_served = false;
    bool is_alone = false;
    while (!was_served || !is_alone) {        // until only the scraping connection is left
        was_served = server_.api.served != 0; // asked first: before it is served it may not count
        figures = scrape.ask(get("/metrics")).body;
        is_alone = figures.find("claviger_http_connections 1\n") != std::string::npos;
    }
    EXPECT_LT(client.read_to_end().size(), std::size_t{32} * 1024 * 1024);
}

TEST_F(ConnectionTest, BodiesThatComeInShareABoundedMemory) {
    server_.options.limits.body_bytes = 100'000;
    Client client = connect();
    const std::string body(200'000, 'x');
    ASSERT_TRUE(client.send(post("/large", body)));
    const ReadAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
    Client next = connect();
    EXPECT_EQ(next.ask(post("/large", std::string(90'000, 'x'))).status, 200); // given back
}

TEST_F(ConnectionTest, AnAnswerWaitsUntilItsEventIsDurable) {
    Client client = connect();
    ASSERT_TRUE(client.send(get("/ticket") + get("/inline")));
    server_.events.wait_for_ticket(1);
    Client other = connect();
    EXPECT_EQ(other.ask(get("/inline")).status, 200);
    EXPECT_EQ(server_.api.served, 2); // the request behind the held answer has not been served
    server_.events.decide(1, Durability::durable);
    EXPECT_EQ(client.read_answer().body, "/ticket  ");
    EXPECT_EQ(client.read_answer().body, "/inline  ");
}

TEST_F(ConnectionTest, WithoutARecordThereIsNoAnswer) {
    Client client = connect();
    ASSERT_TRUE(client.send(get("/ticket")));
    server_.events.wait_for_ticket(1);
    server_.events.decide(1, Durability::failed);
    const ReadAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
    EXPECT_EQ(answer.body.find("/ticket"), std::string::npos);
}

TEST_F(ConnectionTest, ManyHeldAnswersLeaveWithOneBatch) {
    Client first = connect();
    Client second = connect();
    ASSERT_TRUE(first.send(get("/ticket")));
    server_.events.wait_for_ticket(1);
    ASSERT_TRUE(second.send(get("/ticket")));
    server_.events.wait_for_ticket(2);
    server_.events.decide(2, Durability::durable);
    EXPECT_EQ(second.read_answer().status, 200);
    server_.events.decide(1, Durability::durable);
    EXPECT_EQ(first.read_answer().status, 200);
}

TEST_F(ConnectionTest, AFullQueueOfWorkIsRefused) {
    server_.options.limits.queued_work = 1;
    Client running = connect();
    ASSERT_TRUE(running.send(get("/worker")));
    server_.api.gate.wait_for_visitors(1);
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<Client>(server_.server->port()));
        ASSERT_TRUE(clients.back()->send(get("/worker")));
    }
    // Whichever of the four comes first has the one place; the others are turned away at once.
    int refused = 0;
    int served = 0;
    std::vector<std::thread> readers;
    std::mutex mutex;
    std::condition_variable wake;
    for (const auto& client : clients) {
        readers.emplace_back([&, asked = client.get()] {
            const int status = asked->read_answer().status;
            const std::scoped_lock lock(mutex);
            ++(status == 503 ? refused : served);
            wake.notify_all();
        });
    }
    {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return refused == 3; });
    }
    server_.api.gate.open();
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(served, 1);
    EXPECT_EQ(running.read_answer().status, 200);
}

TEST_F(ConnectionTest, SignInsDoNotStandInTheWayOfOtherWork) {
    server_.options.limits.queued_sign_ins = 0;
    Client client = connect();
    ASSERT_TRUE(client.send(get("/sign-in")));
    server_.api.gate.wait_for_visitors(1);
    Client second = connect();
    EXPECT_EQ(second.ask(get("/sign-in")).status, 503);
    ASSERT_TRUE(second.send(get("/worker")));
    server_.api.gate.wait_for_visitors(2); // it runs although the sign-in still hashes
    server_.api.gate.open();
    EXPECT_EQ(second.read_answer().status, 200);
    EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(ConnectionTest, LogsNeitherQueriesNorSecrets) {
    Client client = connect();
    const std::string secret = "canary";
    EXPECT_EQ(
        client.ask(post("/fails?q=" + secret, secret, "Authorization: Bearer " + secret + "\r\n"))
            .status,
        500);
    const std::string id = client.ask(get("/inline")).headers.at("x-request-id");
    const std::string text = server_.log.text();
    EXPECT_NE(text.find("warning: answered status=500 method=POST path=/fails"), std::string::npos)
        << text;
    EXPECT_NE(text.find("debug: answered status=200"), std::string::npos);
    EXPECT_NE(text.find("request_id=" + id), std::string::npos);
    EXPECT_EQ(text.find(secret), std::string::npos);
}

TEST_F(ConnectionTest, BehindATrustedProxyTheClientIsWhomItNames) {
    server_.options.trusted_proxies = {"127.0.0.0/8"};
    Client client = connect();
    EXPECT_EQ(client.ask(get("/source", "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n")).body,
              "192.0.2.7");
    EXPECT_EQ(client.ask(get("/source", "X-Forwarded-For: ,,,\r\n")).body, "127.0.0.1");
    EXPECT_EQ(client.ask(get("/source")).body, "127.0.0.1");
}

TEST_F(ConnectionTest, NobodyElseChoosesItsAddress) {
    Client client = connect();
    EXPECT_EQ(
        client.ask(get("/source", "X-Forwarded-For: 10.0.0.1\r\nREMOTE_ADDR: 10.0.0.1\r\n")).body,
        "127.0.0.1");
}

} // namespace
} // namespace claviger
