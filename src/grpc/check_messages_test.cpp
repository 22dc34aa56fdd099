// SPDX-License-Identifier: Apache-2.0
#include "grpc/check_messages.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "grpc/external_auth.pb.h"

namespace claviger {
namespace {

namespace envoy_v3 = envoy::service::auth::v3;

class Check {
public:
    Check() {
        http().set_method("GET");
        http().set_path("/p/1?x=y");
        http().set_host("app.example");
    }

    envoy_v3::HttpRequest& http() {
        return *message_.mutable_attributes()->mutable_request()->mutable_http();
    }
    envoy_v3::AttributeContext& attributes() { return *message_.mutable_attributes(); }
    Check& raw(std::string name, std::string value) {
        auto& field = *http().mutable_header_map()->add_headers();
        field.set_key(std::move(name));
        field.set_raw_value(std::move(value));
        return *this;
    }
    Check& joined(std::string name, std::string value) {
        auto& field = *http().add_headers();
        field.set_key(std::move(name));
        field.set_value(std::move(value));
        return *this;
    }
    GatewayQuestion read() const { return read_bytes(message_.SerializeAsString()).value(); }

    static std::optional<GatewayQuestion> read_bytes(const std::string& bytes) {
        google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
        return read_question(stream);
    }

private:
    envoy_v3::CheckRequest message_;
};

envoy_v3::CheckResponse written(int status, HttpHeaders headers) {
    GatewayAnswer answer;
    answer.request_id = "the-id";
    answer.response.status = status;
    answer.response.body = "{}";
    answer.response.headers = std::move(headers);
    envoy_v3::CheckResponse message;
    EXPECT_TRUE(message.ParseFromString(write_answer(answer)));
    return message;
}

TEST(QuestionTest, BecomesTheHeadThatHttpWouldHave) {
    const GatewayQuestion question =
        Check().raw(":path", "/admin").raw("authorization", "Bearer x").raw("empty", "").read();
    EXPECT_EQ(question.head, "GET /ext-authz/p/1?x=y HTTP/1.1\r\nHost: app.example\r\n"
                             "authorization: Bearer x\r\nempty: \r\n\r\n");
    EXPECT_EQ(question.why_no_head, "");
    EXPECT_FALSE(question.has_joined_fields);
}

TEST(QuestionTest, SaysWhenFieldsMayHaveBeenJoined) {
    const GatewayQuestion question = Check().joined("a", "1,2").joined("b", "3").read();
    EXPECT_TRUE(question.head.ends_with("\r\na: 1,2\r\nb: 3\r\n\r\n"));
    EXPECT_TRUE(question.has_joined_fields);
}

TEST(QuestionTest, GivesEachFieldThatIsThereTwice) {
    const GatewayQuestion question =
        Check().raw("a", "1").raw("a", "2").joined("b", "3").joined("b", "4").read();
    EXPECT_TRUE(question.head.ends_with("a: 1\r\na: 2\r\nb: 3\r\nb: 4\r\n\r\n"));
}

TEST(QuestionTest, TakesTheTextWhereThereAreNoRawBytes) {
    Check check;
    auto& field = *check.http().mutable_header_map()->add_headers();
    field.set_key("a");
    field.set_value("1");
    EXPECT_TRUE(check.read().head.ends_with("a: 1\r\n\r\n"));
}

TEST(QuestionTest, LeavesOutWhatFramedTheClientsRequest) {
    const GatewayQuestion question = Check()
                                         .raw("Connection", "upgrade")
                                         .raw("content-length", "9")
                                         .raw("transfer-encoding", "chunked")
                                         .raw("expect", "x")
                                         .raw("upgrade", "websocket")
                                         .raw("keep-alive", "1")
                                         .read();
    EXPECT_TRUE(question.head.ends_with("Host: app.example\r\n\r\n"));
}

TEST(QuestionTest, HasNoHeadWhereALineWouldEndEarly) {
    for (const std::string& bad : {std::string("a\r\nb"), std::string("a\rb"), std::string("a\nb"),
                                   std::string("a\0b", 3)}) {
        EXPECT_NE(Check().raw("x", bad).read().why_no_head, "");
        EXPECT_NE(Check().joined("x", bad).read().why_no_head, "");
        EXPECT_NE(Check().raw(bad, "x").read().why_no_head, "");
        Check host;
        host.http().set_host(bad);
        EXPECT_NE(host.read().why_no_head, "");
    }
    EXPECT_NE(Check().raw("a:b", "c").read().why_no_head, "");
}

TEST(QuestionTest, HasNoHeadWhereTheRequestLineCouldBeReadInTwoWays) {
    for (const std::string bad : {"", "GE T", "GET\t", "GET\r\n", "G\nET"}) {
        Check check;
        check.http().set_method(bad);
        EXPECT_NE(check.read().why_no_head, "") << bad;
    }
    for (const std::string bad : {"", "*", "p/1", "http://x/", "/p 1", "/p\r\n", "/p\t"}) {
        Check check;
        check.http().set_path(bad);
        EXPECT_NE(check.read().why_no_head, "") << bad;
    }
    for (const std::string bad : {"", " a", "a\t", "a b"}) {
        Check check;
        check.http().set_host(bad);
        EXPECT_NE(check.read().why_no_head, "") << bad;
    }
}

TEST(QuestionTest, NamesTheClientAndItsBody) {
    Check check;
    check.attributes().mutable_source()->mutable_address()->mutable_socket_address()->set_address(
        "192.0.2.1");
    check.http().set_body("text");
    EXPECT_EQ(check.read().client_ip, "192.0.2.1");
    EXPECT_EQ(check.read().body, "text");
    check.http().set_raw_body("\xff");
    EXPECT_EQ(check.read().body, "\xff");
}

TEST(QuestionTest, IsNoneWithoutARequest) {
    EXPECT_FALSE(Check::read_bytes(""));
    EXPECT_FALSE(Check::read_bytes("\xff\xff"));
    EXPECT_FALSE(Check::read_bytes(std::string("\x0a\x00", 2)));
}

TEST(AnswerTest, ReplacesEveryHeaderAlsoByNothing) {
    const auto message = written(200, {{"X-Auth-Subject", "a"}, {"X-Auth-Scope", ""}});
    EXPECT_EQ(message.status().code(), 0);
    ASSERT_EQ(message.ok_response().headers_size(), 2);
    for (const auto& option : message.ok_response().headers()) {
        EXPECT_EQ(option.append_action(), 2); // OVERWRITE_IF_EXISTS_OR_ADD
        EXPECT_TRUE(option.keep_empty_value());
    }
    EXPECT_EQ(message.ok_response().headers(1).header().key(), "x-auth-scope");
}

TEST(AnswerTest, IsWholeForTheClientWhenDenied) {
    for (const auto& [status, code] : {std::pair{401, 16}, {403, 7}, {413, 7}, {500, 7}}) {
        const auto message = written(status, {{"WWW-Authenticate", "Bearer x\r\ny"}});
        EXPECT_EQ(message.status().code(), code);
        EXPECT_FALSE(message.has_ok_response());
        const auto& denied = message.denied_response();
        EXPECT_EQ(denied.status().code(), status);
        EXPECT_EQ(denied.body(), "{}");
        std::string headers;
        for (const auto& option : denied.headers()) {
            headers += option.header().key() + "=" + option.header().value() + ";";
        }
        EXPECT_EQ(headers, "content-type=application/json;x-request-id=the-id;"
                           "x-content-type-options=nosniff;cache-control=no-store;"
                           "www-authenticate=Bearer x;");
    }
}

TEST(PeerTest, IsAnAddressOrNothing) {
    EXPECT_EQ(address_of_peer("ipv4:192.0.2.1:80"), "192.0.2.1");
    EXPECT_EQ(address_of_peer("ipv6:[2001:db8::1]:80"), "2001:db8::1");
    EXPECT_EQ(address_of_peer("ipv6:%5B2001:db8::1%5D:80"), "2001:db8::1");
    for (const std::string_view other : {"", "unix:/tmp/x", "unix:", "ipv6:[::1:80", "ipv4", "x"}) {
        EXPECT_EQ(address_of_peer(other), "") << other;
    }
}

} // namespace
} // namespace claviger
