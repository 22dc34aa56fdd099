// SPDX-License-Identifier: Apache-2.0
#include "server/gateway_listener.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"
#include "server/admit.h"

namespace claviger {
namespace {

/// Says what it was asked.
class Listener final : public HttpHandler {
public:
    RoutePlan plan(HttpMethod, std::string_view) const override {
        return {10, RequestClass::decision, "forwardAuth", true};
    }
    RunsOn runs_on(const HttpRequest&) const override { return RunsOn::inline_thread; }
    HttpResponse serve(const HttpRequest& request) override {
        last = request;
        return {};
    }
    HttpResponse refuse(int status, std::string_view detail, const HttpRequest&) override {
        HttpResponse response;
        response.status = status;
        response.body = detail;
        return response;
    }

    std::optional<HttpRequest> last;
};

class AnswerQuestionTest : public ::testing::Test {
protected:
    AnswerQuestionTest() {
        AddressList gateways;
        EXPECT_TRUE(gateways.add("127.0.0.1/32"));
        map_.emplace(*RouteMap::build({}, std::move(gateways)));
    }

    static GatewayQuestion question(std::string_view fields = "") {
        GatewayQuestion asked;
        asked.head = "GET /ext-authz/p?q HTTP/1.1\r\nHost: a.example:80\r\n";
        asked.head.append(fields).append("\r\n");
        asked.peer_ip = "127.0.0.1";
        return asked;
    }
    int ask(GatewayQuestion asked) {
        api_.last.reset();
        const int status =
            answer_question(asked, {*map_, api_, random_, clock_, log_, metrics_}).response.status;
        EXPECT_EQ(status == 200, api_.last.has_value());
        return status;
    }

    std::optional<RouteMap> map_;
    Listener api_;
    SeededRandom random_{1};
    SystemClock clock_;
    NullLog log_;
    ThreadMetrics metrics_;
};

TEST_F(AnswerQuestionTest, IsServedAsOverHttp) {
    GatewayQuestion asked = question("Authorization: Bearer x\r\nUser-Agent: u\r\n");
    asked.body = "0123456789";
    EXPECT_EQ(ask(std::move(asked)), 200);
    EXPECT_EQ(api_.last->path, "/ext-authz/p");
    EXPECT_EQ(api_.last->query, "q");
    EXPECT_EQ(api_.last->host, "a.example");
    EXPECT_EQ(api_.last->authorization, "Bearer x");
    EXPECT_EQ(api_.last->user_agent, "u");
    EXPECT_EQ(api_.last->body, "0123456789");
    EXPECT_EQ(api_.last->peer_ip, "127.0.0.1");
    EXPECT_TRUE(api_.last->header_lines.starts_with("Host: a.example:80\r\nAuthorization"));
}

TEST_F(AnswerQuestionTest, IsRefusedWhenItIsTooLong) {
    EXPECT_EQ(ask(question("X: " + std::string(8000, 'x') + "\r\n")), 200);
    EXPECT_EQ(ask(question("X: " + std::string(8192, 'x') + "\r\n")), 431);
    std::string lines;
    for (std::size_t i = 1; i < most_header_lines; ++i) {
        lines += "X: y\r\n";
    }
    EXPECT_EQ(ask(question(lines)), 200);
    EXPECT_EQ(ask(question(lines + "X: y\r\n")), 431);
    GatewayQuestion asked = question();
    asked.body = std::string(11, 'x');
    EXPECT_EQ(ask(std::move(asked)), 413);
}

TEST_F(AnswerQuestionTest, IsRefusedWhenItIsNoHead) {
    GatewayQuestion asked = question();
    asked.why_no_head = "A header line is malformed.";
    EXPECT_EQ(ask(std::move(asked)), 400);
    EXPECT_EQ(ask(question("X : y\r\n")), 400);
    EXPECT_EQ(ask(question("Authorization: a\r\nAuthorization: b\r\n")), 400);
    EXPECT_EQ(ask(question("X: \x01\r\n")), 400);
}

TEST_F(AnswerQuestionTest, TakesAListForTwoFieldsWhereTheyAreJoined) {
    for (const char* field : {"Authorization: Bearer a,Bearer b\r\n",
                              "Content-Type: application/json; x=y,application/json\r\n"}) {
        EXPECT_EQ(ask(question(field)), 200) << field;
        EXPECT_FALSE(api_.last->has_joined_fields);
        GatewayQuestion asked = question(field);
        asked.has_joined_fields = true;
        EXPECT_EQ(ask(std::move(asked)), 400) << field;
    }
    GatewayQuestion asked = question("Accept: a,b\r\n");
    asked.has_joined_fields = true;
    EXPECT_EQ(ask(std::move(asked)), 200);
    EXPECT_TRUE(api_.last->has_joined_fields);
}

TEST_F(AnswerQuestionTest, OnlyAGatewayOfTheMapSaysWhoTheClientIs) {
    const auto source = [&](std::string peer, std::string client) {
        GatewayQuestion asked = question();
        asked.peer_ip = std::move(peer);
        asked.client_ip = std::move(client);
        EXPECT_EQ(ask(std::move(asked)), 200);
        return api_.last->source_ip;
    };
    EXPECT_EQ(source("127.0.0.1", "192.0.2.1"), "192.0.2.1");
    EXPECT_TRUE(api_.last->is_behind_proxy);
    EXPECT_EQ(source("127.0.0.1", "::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(source("127.0.0.1", "2001:DB8::1"), "2001:db8::1");
    EXPECT_EQ(source("127.0.0.1", "/a/pipe"), "127.0.0.1");
    EXPECT_EQ(source("127.0.0.2", "192.0.2.1"), "127.0.0.2");
    EXPECT_FALSE(api_.last->is_behind_proxy);
}

TEST_F(AnswerQuestionTest, IsCounted) {
    EXPECT_EQ(ask(question()), 200);
    EXPECT_EQ(ask(question("X : y\r\n")), 400);
    std::map<ThreadMetrics::Key, ThreadMetrics::Figures> sums;
    metrics_.add_to(sums);
    EXPECT_EQ((sums[{"forwardAuth", HttpMethod::get, 200}].count), 1U);
    EXPECT_EQ((sums[{"refused", HttpMethod::get, 400}].count), 1U);
}

} // namespace
} // namespace claviger
