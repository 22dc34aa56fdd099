// SPDX-License-Identifier: Apache-2.0
// Questions of gateways over gRPC: each is admitted, answered and recorded as the same request to
// /ext-authz would be over HTTP, by the same functions.
#pragma once

#include <cstdint>
#include <memory>

#include "api/http.h"
#include "api/route_map.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/now_and_then.h"
#include "base/random.h"
#include "cli/option_values.h"
#include "grpc/grpc_server.h"
#include "server/http_server.h"

namespace claviger {

/// What it answers with, all of which must outlive the listener.
struct GatewayEnvironment {
    const RouteMap& route_map; // says whose word about the client's address is believed
    HttpHandler& handler;
    Random& random;
    const Clock& clock;
    Log& log;
    ThreadMetrics& metrics;
};

class GatewayListener {
public:
    /// `server`, which is not running yet, accepts its connections: those of the map's gateways.
    /// Stop this one first. `unavailable` when it cannot listen.
    static Result<std::unique_ptr<GatewayListener>> start(const SocketAddress& address,
                                                          std::optional<GrpcTlsFiles> tls,
                                                          const GatewayEnvironment& environment,
                                                          HttpServer& server);

    std::uint16_t port() const { return port_; }
    /// Idempotent.
    void stop() { grpc_->stop(); }

private:
    explicit GatewayListener(const GatewayEnvironment& environment) : environment_(environment) {}
    void take(Socket socket, const boost::asio::ip::address& source);
    void turn_away(std::string_view source);

    GatewayEnvironment environment_;
    std::unique_ptr<GrpcServer> grpc_;
    NowAndThen warning_;
    std::uint16_t port_ = 0;
};

/// The answer to one question, as over HTTP. Throws nothing that the handler does not.
GatewayAnswer answer_question(GatewayQuestion& question, const GatewayEnvironment& environment);

} // namespace claviger
