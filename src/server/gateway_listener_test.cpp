// SPDX-License-Identifier: Apache-2.0
#include "server/gateway_listener.h"

#include <algorithm>
#include <array>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "api/header_lines.h"
#include "api/request_target.h"
#include "base/seeded_random.h"
#include "grpc/external_auth.pb.h"
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

/// Whatever a gateway says, what is served is what it said: no field becomes two, or another's.
TEST_F(AnswerQuestionTest, WhatIsServedIsWhatWasAsked) {
    constexpr std::string_view letters("aA/:.?#%_,;= \t\r\n\0\x7f\x80", 19);
    SeededRandom random(20);
    const auto text = [&](std::size_t longest, std::string good) {
        std::array<std::uint8_t, 8> drawn{};
        random.fill(drawn);
        if (drawn[0] % 4 != 0) { // mostly what passes, so that something does
            return good;
        }
        good.resize(drawn[1] % (longest + 1));
        for (std::size_t i = 0; i < good.size(); ++i) {
            good[i] = letters[drawn[2 + i % 6] % letters.size()];
        }
        return good;
    };
    int served = 0;
    for (int i = 0; i < 20'000; ++i) {
        envoy::service::auth::v3::CheckRequest check;
        auto& http = *check.mutable_attributes()->mutable_request()->mutable_http();
        http.set_method(text(3, "GET"));
        http.set_path(text(6, "/p"));
        http.set_host(text(3, "a"));
        auto& field = *http.mutable_header_map()->add_headers();
        field.set_key(text(3, "x"));
        field.set_raw_value(text(6, "y"));
        const std::string bytes = check.SerializeAsString();
        google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
        GatewayQuestion asked = read_question(stream).value();
        asked.peer_ip = "127.0.0.1";
        api_.last.reset();
        answer_question(asked, {*map_, api_, random_, clock_, log_, metrics_});
        if (!api_.last) {
            continue;
        }
        ++served;
        const HttpRequest& request = *api_.last;
        const std::string target =
            request.path + (http.path().contains('?') ? "?" + request.query : "");
        EXPECT_EQ(target, "/ext-authz" + http.path());
        EXPECT_TRUE(request.method == HttpMethod::other ||
                    name_of(request.method) == http.method());
        EXPECT_EQ(request.host, host_name_of(http.host()));
        EXPECT_LE(std::ranges::count(request.header_lines, '\n'), 2);
        const auto values = header_values(request.header_lines, field.key());
        const bool is_left_out = field.key().starts_with(':') || field.key() == "Host";
        EXPECT_TRUE(is_left_out || values.size() == 1) << field.key();
    }
    EXPECT_GT(served, 5'000);
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
