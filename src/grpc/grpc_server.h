// SPDX-License-Identifier: Apache-2.0
// gRPC on connections that others accept, for Envoy's questions alone:
// envoy.service.auth.v3.Authorization/Check. It owns gRPC's threads and the limits of what may come
// in; what is asked is answered by whoever started it. What gRPC itself has to say goes to our log,
// at level debug. Listening is not left to gRPC 1.51: it takes 0.0.0.0 for IPv6 as well, and
// accepts nothing any more once there was no file descriptor.
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
    std::optional<GrpcTlsFiles> tls;
    std::int64_t stop_milliseconds = 2'000; // to finish when the server stops
};

/// Called on any thread, by several at once. Must not wait for anything; throws nothing.
using AnswerQuestion = std::function<GatewayAnswer(GatewayQuestion&)>;

class GrpcServer {
public:
    /// `unavailable` when gRPC does not start. `log` must outlive it, and there must be one of it
    /// at a time.
    static Result<std::unique_ptr<GrpcServer>> start(const GrpcServerOptions& options,
                                                     AnswerQuestion answer, Log& log);
    ~GrpcServer();
    GrpcServer(const GrpcServer&) = delete;
    GrpcServer& operator=(const GrpcServer&) = delete;

    /// Takes over a connected socket, which it closes. On any thread, also after stop().
    void take(int socket);
    /// Takes no new question, and returns when those that are there have their answers or when
    /// their time is over. Idempotent.
    void stop();

private:
    class Serving;
    explicit GrpcServer(std::unique_ptr<Serving> serving);

    std::unique_ptr<Serving> serving_;
};

} // namespace claviger
