// SPDX-License-Identifier: Apache-2.0
// The gRPC listener, for Envoy's questions alone: envoy.service.auth.v3.Authorization/Check. It
// owns gRPC's threads and sockets, and the limits of what may come in; what is asked is answered by
// whoever started it. What gRPC itself has to say goes to our log, at level debug.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "grpc/check_messages.h"

namespace claviger {

/// PEM files; read again when they change.
struct GrpcTlsFiles {
    std::filesystem::path certificate;
    std::filesystem::path key;
};

struct GrpcServerOptions {
    std::string listen; // "127.0.0.1:8081"; port 0 takes any
    std::optional<GrpcTlsFiles> tls;
    std::int64_t stop_milliseconds = 10'000; // to finish when the server stops
};

/// Called on any thread, by several at once. Must not wait for anything; throws nothing.
using AnswerQuestion = std::function<GatewayAnswer(GatewayQuestion&)>;

class GrpcServer {
public:
    /// Listens and answers when it returns. `unavailable` when it cannot listen. `log` must outlive
    /// it, and there must be one of it at a time.
    static Result<std::unique_ptr<GrpcServer>> start(const GrpcServerOptions& options,
                                                     AnswerQuestion answer, Log& log);
    ~GrpcServer();
    GrpcServer(const GrpcServer&) = delete;
    GrpcServer& operator=(const GrpcServer&) = delete;

    std::uint16_t port() const;
    /// Takes no new question, and returns when those that are there have their answers or when
    /// their time is over. Idempotent.
    void stop();

private:
    class Listening;
    explicit GrpcServer(std::unique_ptr<Listening> listening);

    std::unique_ptr<Listening> listening_;
};

} // namespace claviger
