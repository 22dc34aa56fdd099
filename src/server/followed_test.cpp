// SPDX-License-Identifier: Apache-2.0
// Answers that wait for something to happen, and the threads that they do not take.
#include <list>
#include <thread>

#include <gtest/gtest.h>

#include "server/test_server.h"

namespace claviger {
namespace {

using testing::Client;
using testing::get;
using testing::TestServer;

class FollowedTest : public ::testing::Test {
protected:
    Client& connect() {
        if (!server_.server) {
            server_.start();
        }
        return clients_.emplace_back(server_.server->port());
    }
    Client& follow() {
        Client& client = connect();
        EXPECT_TRUE(client.send(get("/followed")));
        EXPECT_EQ(client.read_answer().status, 200);
        return client;
    }
    void tell(int news) {
        server_.api.news = news;
        server_.server->change_listener()();
    }
    void wait_until_nobody_follows() {
        while (server_.api.followers != 0) {
            std::this_thread::yield();
        }
    }

    TestServer server_; // with one worker
    std::list<Client> clients_;
};

TEST_F(FollowedTest, NewsComesToAllWhoWaitAndTheyHoldNoWorker) {
    server_.api.gate.open();
    for (int i = 0; i < 50; ++i) {
        follow();
    }
    EXPECT_EQ(connect().ask(get("/worker")).status, 200);
    EXPECT_EQ(connect().ask(get("/inline")).status, 200);
    clients_.pop_back();
    clients_.pop_back();
    for (const int news : {1, 3}) {
        tell(news);
        for (Client& client : clients_) {
            EXPECT_EQ(client.read_chunk(), std::string(news == 1 ? 1 : 2, 'n'));
        }
    }
}

TEST_F(FollowedTest, WhatNobodyRangForIsSeenWithinASecond) {
    Client& client = follow();
    server_.api.news = 1;
    EXPECT_EQ(client.read_chunk(), "n");
}

TEST_F(FollowedTest, EndsCleanlyWhenTheServerStops) {
    Client& one = follow();
    Client& two = follow();
    const std::jthread stopping([&] { server_.server->stop(); });
    for (Client* client : {&one, &two}) {
        EXPECT_EQ(client->read_chunks(), "");
        EXPECT_EQ(client->read_to_end(), "");
        client->end_sending();
    }
}

TEST_F(FollowedTest, PlacesAreLimitedAndGivenBack) {
    server_.options.limits.followers = 2;
    follow();
    follow();
    const auto refused = connect().ask(get("/followed"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.at("retry-after"), "1");
    clients_.clear();
    for (int news = 1; server_.api.followers != 0; ++news) {
        tell(news); // whoever has gone is noticed when something is sent
    }
    follow();
}

TEST_F(FollowedTest, ADefectCutsTheAnswerOff) {
    Client& client = follow();
    tell(-1);
    EXPECT_EQ(client.read_chunks(), std::nullopt);
    EXPECT_TRUE(client.was_reset()); // else it would look whole
    wait_until_nobody_follows();
    EXPECT_NE(server_.log.text().find("the news is bad"), std::string::npos);
}

TEST_F(FollowedTest, ASlowReaderIsCutOff) {
    server_.options.limits.write_milliseconds = 200;
    Client& client = follow();
    tell(32 << 20); // more than the sockets hold, and nothing is read
    wait_until_nobody_follows();
    EXPECT_TRUE((client.read_to_end(), client.was_reset()));
}

TEST_F(FollowedTest, TheFiguresSayHowManyThereAre) {
    follow();
    Client metrics(server_.server->metrics_port());
    EXPECT_NE(metrics.ask(get("/metrics")).body.find("claviger_revocation_feed_readers 1"),
              std::string::npos);
}

} // namespace
} // namespace claviger
