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
#include "base/random.h"
#include "cli/option_values.h"
#include "grpc/grpc_server.h"
#include "server/metrics.h"

namespace claviger {

/// What it answers with. All of it must outlive the listener.
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
    /// Answers when it returns. `unavailable` when it cannot listen.
    static Result<std::unique_ptr<GatewayListener>> start(const SocketAddress& address,
                                                          std::optional<GrpcTlsFiles> tls,
                                                          GatewayEnvironment environment);

    std::uint16_t port() const { return server_->port(); }
    /// Idempotent.
    void stop() { server_->stop(); }

private:
    std::unique_ptr<GrpcServer> server_;
};

/// The answer to one question, as over HTTP. Throws nothing that the handler does not.
GatewayAnswer answer_question(GatewayQuestion& question, GatewayEnvironment& environment);

} // namespace claviger
