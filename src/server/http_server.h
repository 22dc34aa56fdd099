// SPDX-License-Identifier: Apache-2.0
// The HTTP server: listeners, threads and connections around an HttpHandler. It owns the sockets
// and nothing of the API; /healthz, /readyz and /metrics are its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "server/acceptor.h"
#include "server/io_thread.h"
#include "server/own_routes.h"
#include "server/tls.h"

namespace claviger {

struct ListenAddress {
    std::string host; // an IP address or a name that resolves to one
    std::uint16_t port = 0;
};

struct HttpServerOptions {
    ListenAddress listen;
    std::optional<ListenAddress> metrics;
    std::optional<TlsFiles> tls;
    std::vector<std::string> trusted_proxies;
    unsigned threads = 1;
    unsigned workers = 8;
    unsigned sign_in_workers = 2; // one hashes a password, one waits its turn
    std::string version;          // shown by the figures
    ServerLimits limits;
};

class ThreadBell;

class HttpServer {
public:
    /// Binds and listens; nothing is accepted before run(). `unavailable` when the address is
    /// taken. What is passed by reference must outlive the server.
    static Result<std::unique_ptr<HttpServer>> bind(HttpServerOptions options, HttpHandler& handler,
                                                    AccessEventLog& access_events, Random& random,
                                                    const Clock& clock, Log& log,
                                                    ReadinessCheck readiness, MetricSource metrics);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::uint16_t port() const { return port_; }
    std::uint16_t metrics_port() const { return metrics_port_; }
    /// Of what another listener answers: its figures are shown with those of this one.
    ThreadMetrics& other_metrics() { return other_metrics_; }
    /// To be called after each change of the directory, from any thread, also when the server is
    /// gone.
    std::function<void()> change_listener() const;
    /// Accepts for another, before run(): `take` gets the sockets, and must outlive this server's
    /// stop(). Gives the port.
    Result<std::uint16_t> add_listener(const ListenAddress& address, Acceptor::Take take);
    /// Starts to accept. Returns at once.
    void run();
    void reload_certificates();
    /// Takes no new connection, answers what has been read, and returns when all are closed.
    /// Idempotent.
    void stop();

private:
    HttpServer(HttpServerOptions options, TrustedProxies proxies, HttpHandler& handler,
               AccessEventLog& access_events, Random& random, const Clock& clock, Log& log,
               ReadinessCheck readiness, MetricSource metrics);
    Result<void> open_acceptors();
    Result<std::uint16_t> open_acceptor(IoThread& thread, const Acceptor::Endpoint& endpoint,
                                        Acceptor::Take take);
    /// Takes for this server.
    Acceptor::Take taker(IoThread& thread, TlsContexts* tls, Serves serves);
    std::string metrics_text() const;
    void stop_on(IoThread& thread);

    HttpServerOptions options_;
    ServerEnvironment environment_;
    MetricSource metrics_;
    ThreadMetrics other_metrics_;
    std::unique_ptr<TlsContexts> tls_;
    std::vector<std::unique_ptr<IoThread>> io_threads_;
    std::shared_ptr<ThreadBell> bell_; // shared with those who ring it, which outlive this
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    std::vector<std::thread> threads_;
    std::uint16_t port_ = 0;
    std::uint16_t metrics_port_ = 0;
};

} // namespace claviger
