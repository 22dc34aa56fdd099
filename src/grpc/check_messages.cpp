// SPDX-License-Identifier: Apache-2.0
#include "grpc/check_messages.h"

#include <algorithm>
#include <array>

#include "api/forward_auth.h"
#include "base/text.h"
#include "grpc/external_auth.pb.h"

namespace claviger {
namespace {

namespace envoy_v3 = envoy::service::auth::v3;

constexpr int code_ok = 0; // of gRPC
constexpr int code_permission_denied = 7;
constexpr int code_unauthenticated = 16;
constexpr int overwrite_or_add = 2; // of AppendAction

/// They belong to the message that the gateway has taken in, and say nothing of its question, which
/// over HTTP has its own.
constexpr std::array<std::string_view, 6> framing_fields{
    "Connection", "Content-Length", "Expect", "Keep-Alive", "Transfer-Encoding", "Upgrade"};

/// What would end a line of the head, or be a line of its own.
bool breaks_lines(std::string_view text) {
    constexpr std::string_view ends("\r\n\0", 3);
    return text.find_first_of(ends) != std::string_view::npos;
}

void append_line(GatewayQuestion& question, std::string_view name, std::string_view value) {
    if (name.starts_with(':')) { // of HTTP/2: said elsewhere in the question
        return;
    }
    if (breaks_lines(name) || breaks_lines(value) || name.contains(':')) {
        question.why_no_head = "A header line is malformed.";
        return;
    }
    if (std::ranges::any_of(framing_fields, [&](std::string_view framing) {
            return ascii_iequal(framing, name);
        })) {
        return;
    }
    question.head.append(name).append(": ").append(value).append("\r\n");
}

void append_request(GatewayQuestion& question, const envoy_v3::HttpRequest& http) {
    constexpr std::string_view blanks("\r\n\0\t ", 5);
    const auto is_word = [&](std::string_view text) {
        return !text.empty() && text.find_first_of(blanks) == std::string_view::npos;
    };
    if (!is_word(http.method()) || !is_word(http.path()) || !http.path().starts_with('/')) {
        question.why_no_head = "The request line is malformed.";
        return;
    }
    if (!is_word(http.host())) {
        question.why_no_head = "The Host header is malformed.";
        return;
    }
    question.head.append(http.method()).append(" ").append(ext_authz_prefix);
    question.head.append(http.path()).append(" HTTP/1.1\r\n");
    question.head.append("Host: ").append(http.host()).append("\r\n");
}

void add_header(google::protobuf::RepeatedPtrField<envoy_v3::HeaderValueOption>& headers,
                std::string_view name, std::string_view value) {
    envoy_v3::HeaderValueOption& option = *headers.Add();
    // In place of what the client sent, and also when empty. Envoy 1.40 takes an answer of this
    // kind so in any case.
    option.set_append_action(overwrite_or_add);
    option.set_keep_empty_value(true);
    option.mutable_header()->set_key(ascii_lower(name));
    option.mutable_header()->set_value(std::string(value.substr(0, value.find_first_of("\r\n"))));
}

void write_denied(envoy_v3::DeniedResponse& denied, const GatewayAnswer& answer) {
    const HttpResponse& response = answer.response;
    denied.mutable_status()->set_code(response.status);
    denied.set_body(response.body);
    auto& headers = *denied.mutable_headers();
    add_header(headers, "Content-Type", response.content_type);
    add_header(headers, "X-Request-Id", answer.request_id);
    add_header(headers, "X-Content-Type-Options", "nosniff");
    add_header(headers, "Cache-Control", "no-store");
    for (const auto& [name, value] : response.headers) {
        add_header(headers, name, value);
    }
}

} // namespace

std::optional<GatewayQuestion> read_question(google::protobuf::io::ZeroCopyInputStream& message) {
    envoy_v3::CheckRequest check;
    if (!check.ParseFromZeroCopyStream(&message) || !check.attributes().request().has_http()) {
        return std::nullopt;
    }
    const envoy_v3::HttpRequest& http = check.attributes().request().http();
    GatewayQuestion question;
    question.client_ip = check.attributes().source().address().socket_address().address();
    append_request(question, http);
    for (const envoy_v3::HeaderValue& field : http.header_map().headers()) {
        const bool is_raw = !field.raw_value().empty();
        append_line(question, field.key(), is_raw ? field.raw_value() : field.value());
    }
    for (const envoy_v3::HeaderEntry& field : http.headers()) {
        append_line(question, field.key(), field.value());
    }
    question.has_joined_fields = !http.headers().empty();
    question.head += "\r\n";
    question.body = http.raw_body().empty() ? http.body() : http.raw_body();
    return question;
}

std::string write_answer(const GatewayAnswer& answer) {
    const int status = answer.response.status;
    envoy_v3::CheckResponse check;
    if (status == 200) {
        check.mutable_status()->set_code(code_ok);
        auto& headers = *check.mutable_ok_response()->mutable_headers();
        for (const auto& [name, value] : answer.response.headers) {
            add_header(headers, name, value);
        }
    } else {
        check.mutable_status()->set_code(status == 401 ? code_unauthenticated
                                                       : code_permission_denied);
        write_denied(*check.mutable_denied_response(), answer);
    }
    return check.SerializeAsString();
}

std::string address_of_peer(std::string_view peer) {
    const std::size_t port = peer.rfind(':');
    std::string_view address = peer.substr(0, port);
    if (address.starts_with("ipv4:")) {
        return std::string(address.substr(5));
    }
    // The brackets of IPv6 are escaped, because it is a URI.
    for (const auto& [begin, end] :
         {std::pair<std::string_view, std::string_view>{"ipv6:[", "]"}, {"ipv6:%5B", "%5D"}}) {
        if (address.starts_with(begin) && address.ends_with(end)) {
            address.remove_prefix(begin.size());
            address.remove_suffix(end.size());
            return std::string(address);
        }
    }
    return {};
}

} // namespace claviger
