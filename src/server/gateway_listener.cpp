// SPDX-License-Identifier: Apache-2.0
#include "server/gateway_listener.h"

#include <boost/asio/ip/address.hpp>

#include "base/secret.h"
#include "base/uuid.h"
#include "server/admit.h"
#include "server/answer_record.h"

namespace claviger {
namespace {

namespace ip = boost::asio::ip;

/// Two fields that a gateway has joined look like one.
std::string_view twice(const AdmittedHead& head, bool has_joined_fields) {
    const auto is_list = [&](const std::optional<std::string_view>& value) {
        return has_joined_fields && value && value->contains(',');
    };
    if (is_list(head.authorization)) {
        return "Two Authorization headers.";
    }
    return is_list(head.content_type) ? "Two Content-Type headers." : "";
}

/// The client's address, as a gateway of the map says it; otherwise the peer's.
void set_source(const GatewayQuestion& question, const RouteMap& map, HttpRequest& request) {
    request.peer_ip = question.peer_ip;
    request.source_ip = question.peer_ip;
    boost::system::error_code ec;
    const ip::address client = ip::make_address(question.client_ip, ec);
    if (!ec && map.trusts(question.peer_ip)) {
        const bool is_v4 = client.is_v6() && client.to_v6().is_v4_mapped();
        request.source_ip = is_v4 ? ip::make_address_v4(ip::v4_mapped, client.to_v6()).to_string()
                                  : client.to_string();
        request.is_behind_proxy = true;
    }
}

HttpResponse judge(GatewayQuestion& question, HttpRequest& request, std::string_view& route,
                   HttpHandler& handler) {
    if (!question.why_no_head.empty()) {
        return handler.refuse(400, question.why_no_head, request);
    }
    if (question.head.size() > longest_head) {
        return handler.refuse(431, "The request head is longer than 8 KiB.", request);
    }
    const auto head = admit(question.head);
    if (!head) {
        return handler.refuse(head.error().status, head.error().detail, request);
    }
    take_head(*head, request);
    request.header_lines = head->header_lines;
    request.has_joined_fields = question.has_joined_fields;
    if (const auto detail = twice(*head, question.has_joined_fields); !detail.empty()) {
        return handler.refuse(400, detail, request);
    }
    const RoutePlan plan = handler.plan(request.method, request.path);
    if (question.body.size() > plan.max_body) {
        return handler.refuse(413, "The body is larger than this path takes.", request);
    }
    route = plan.route_id;
    request.body = std::move(question.body);
    return handler.serve(request);
}

} // namespace

GatewayAnswer answer_question(GatewayQuestion& question, const GatewayEnvironment& environment) {
    const std::int64_t began = environment.clock.now().microseconds;
    HttpRequest request;
    request.request_id = Uuid::make(environment.random).text();
    set_source(question, environment.route_map, request);
    request.gateway_secret = std::move(question.gateway_secret);
    std::string_view route = "refused";
    HttpResponse response = judge(question, request, route, environment.handler);
    record_answer(environment.metrics, environment.log, request,
                  {response.status, route, environment.clock.now().microseconds - began});
    wipe(question.head);
    wipe(request.header_lines);
    wipe(request.body);
    wipe(*request.gateway_secret);
    if (request.authorization) {
        wipe(*request.authorization);
    }
    return {std::move(response), std::move(request.request_id)};
}

Result<std::unique_ptr<GatewayListener>>
GatewayListener::start(const SocketAddress& address, std::optional<GrpcTlsFiles> tls,
                       const GatewayEnvironment& environment, HttpServer& server) {
    std::unique_ptr<GatewayListener> listener(new GatewayListener(environment));
    listener->grpc_ = TRY(GrpcServer::start(
        {.tls = std::move(tls)},
        [environment](GatewayQuestion& question) { return answer_question(question, environment); },
        environment.log));
    listener->port_ =
        TRY(server.add_listener({address.host, address.port},
                                [self = listener.get()](Socket socket, const ip::address& source) {
                                    self->take(std::move(socket), source);
                                }));
    return listener;
}

void GatewayListener::take(Socket socket, const ip::address& source) {
    const std::string text = source.to_string();
    if (!environment_.route_map.trusts(text)) { // it would be refused whatever it asks
        turn_away(text);
        return;
    }
    boost::system::error_code ec;
    const int descriptor = socket.release(ec);
    if (!ec) {
        grpc_->take(descriptor);
    }
}

void GatewayListener::turn_away(std::string_view source) {
    environment_.metrics.rejected_connections.fetch_add(1, std::memory_order_relaxed);
    if (warning_.is_due(environment_.clock.monotonic_milliseconds())) {
        environment_.log.write(LogLevel::warning,
                               "no gateway of the route map, and turned away where they ask",
                               {{"source_ip", source}});
    }
}

} // namespace claviger
