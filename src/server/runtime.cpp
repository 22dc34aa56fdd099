// SPDX-License-Identifier: Apache-2.0
#include "server/runtime.h"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/operations.h"
#include "server/application.h"
#include "server/control.h"
#include "server/gateway_listener.h"
#include "server/http_server.h"

namespace claviger {
namespace {

constexpr int ports_to_try = 20;
constexpr int seconds_between_maintenance = 10;
constexpr rlim_t other_descriptors = 256; // databases, listeners, event loops, operators

int report(const Error& error) {
    std::cerr << "claviger: " << error.detail() << "\n";
    return 1;
}

/// Secrets are in memory: no core files, no tracing by other processes of the user.
void harden_process() {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

/// The signals that the main thread waits for; blocked everywhere else.
sigset_t block_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        ::sigaddset(&set, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a limit for files is an error like a full disk
    return set;
}

/// Every connection is a descriptor; the soft limit of a login or a service is often 1024.
void raise_descriptor_limit(std::size_t connections, Log& log) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t needed = connections + other_descriptors;
    if (limit.rlim_cur < needed) {
        log.write(LogLevel::warning, "the limit of open files is too low for all connections",
                  {{"limit", static_cast<std::int64_t>(limit.rlim_cur)},
                   {"needed", static_cast<std::int64_t>(needed)}});
    }
}

HttpServerOptions server_options(const Options& options, std::string_view version,
                                 std::uint16_t port) {
    HttpServerOptions made;
    made.listen = {options.listen.host, port};
    if (options.metrics_listen) {
        made.metrics = {options.metrics_listen->host, options.metrics_listen->port};
    }
    if (!options.tls_cert.empty()) {
        made.tls = {options.tls_cert, options.tls_key};
    }
    made.trusted_proxies = options.trusted_proxy;
    made.threads = static_cast<unsigned>(options.threads);
    made.version = version;
    return made;
}

/// Binds the address; where none was asked for, the next free port after the default one.
Result<std::unique_ptr<HttpServer>> bind_server(const Options& options, std::string_view version,
                                                Application& application, Log& log) {
    const int tries = options.listen_is_explicit ? 1 : ports_to_try;
    Result<std::unique_ptr<HttpServer>> server;
    for (int i = 0; i < tries; ++i) {
        const auto port = static_cast<std::uint16_t>(options.listen.port + i);
        server = HttpServer::bind(
            server_options(options, version, port), application.dispatcher(),
            application.access_events(), application.random(), application.clock(), log,
            [&application] { return application.problem(); },
            [&application] { return application.metrics(); });
        if (server || server.error().code() != ErrorCode::unavailable) {
            return server;
        }
    }
    return server;
}

/// Nothing when there is no such listener.
Result<std::unique_ptr<GatewayListener>> start_gateway_listener(const Options& options,
                                                                Application& application,
                                                                HttpServer& server, Log& log) {
    if (!options.grpc_listen) {
        return nullptr;
    }
    std::optional<GrpcTlsFiles> tls;
    if (!options.tls_cert.empty()) {
        tls = {options.tls_cert, options.tls_key};
    }
    return GatewayListener::start(*options.grpc_listen, std::move(tls),
                                  {*options.route_map, application.dispatcher(),
                                   application.random(), application.clock(), log,
                                   server.other_metrics()},
                                  server);
}

void print_first_administrator(const AddedTenant& tenant) {
    if (tenant.generated_password) {
        std::cerr << "claviger: first administrator " << tenant.admin_email << ", password "
                  << tenant.generated_password->reveal() << " (shown only now)\n";
    }
}

void print_demo(const std::string& url, const NewServiceAccount& demo) {
    std::cerr << "\n  Demo service account (shown only now)\n"
              << "    client id      " << demo.account.name << "\n"
              << "    client secret  " << demo.client_secret.reveal() << "\n\n"
              << "  Get a token:\n"
              << "    TOKEN=$(curl -s " << url
              << "/api/v1/token -H 'Content-Type: application/json' -d "
              << R"('{"grantType":"client_credentials","clientId":")" << demo.account.name
              << R"(","clientSecret":")" << demo.client_secret.reveal()
              << R"demo("}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/'); echo "$TOKEN")demo"
              << "\n\n"
              << "  Call the API with it:\n"
              << "    curl -s " << url
              << "/api/v1/org-unit/projects -H \"Authorization: Bearer $TOKEN\"\n\n";
}

/// What is shown once, at the first start.
struct FirstStart {
    std::optional<AddedTenant> tenant;
    std::optional<NewServiceAccount> demo;
};

Result<FirstStart> prepare(const ServeOptions& options, Application& application) {
    FirstStart first;
    first.tenant = TRY(application.add_first_tenant(options.options));
    if (first.tenant && options.demo) {
        first.demo = TRY(application.add_demo_data(*first.tenant));
    }
    return first;
}

/// Waits for the signal to stop, and does what is due meanwhile.
void wait_for_stop(const sigset_t& signals, Application& application, HttpServer& server) {
    while (true) {
        const timespec pause{seconds_between_maintenance, 0};
        const int signal = ::sigtimedwait(&signals, nullptr, &pause);
        if (signal == SIGTERM || signal == SIGINT) {
            return;
        }
        if (signal == SIGHUP) {
            server.reload_certificates();
        }
        application.maintain();
    }
}

void announce(const Options& options, const HttpServer& server, const GatewayListener* gateways,
              const std::string& address) {
    if (options.metrics_listen) {
        const SocketAddress metrics{options.metrics_listen->host, server.metrics_port()};
        std::cout << "claviger: metrics on http://" << metrics.text() << "/metrics\n";
    }
    if (gateways != nullptr) {
        const SocketAddress grpc{options.grpc_listen->host, gateways->port()};
        std::cout << "claviger: gRPC for Envoy on " << grpc.text() << "\n";
    }
    std::cout << "claviger: listening on " << (options.tls_cert.empty() ? "http" : "https") << "://"
              << address << "\n";
    std::cout.flush();
}

} // namespace

int serve(ServeOptions serve_options, std::string_view version) {
    const Options& options = serve_options.options;
    harden_process();
    const sigset_t signals = block_signals();
    JsonLog log(options.log_level);
    raise_descriptor_limit(ServerLimits{}.connections, log);
    auto application = Application::open(options, log);
    serve_options.options.master_key.reset(); // wiped
    if (!application) {
        return report(application.error());
    }
    auto first = prepare(serve_options, **application);
    if (!first) {
        return report(first.error());
    }
    auto server = bind_server(options, version, **application, log);
    if (!server) {
        return report(server.error());
    }
    (*application)->directory().set_change_listener((*server)->change_listener());
    const SocketAddress address{options.listen.host, (*server)->port()};
    if (options.public_url.empty()) {
        const char* scheme = options.tls_cert.empty() ? "http://" : "https://";
        (*application)->set_public_url(scheme + address.text());
    }
    Operations operations(
        (*application)->tenants(), (*application)->signing_keys(), (*application)->rekey(),
        (*application)->directory(), (*application)->store(), (*application)->access_events(),
        (*application)->directory_path(), (*application)->clock(), (*application)->random());
    auto control = ControlSocket::start(
        (*application)->directory_path(),
        [&operations](const OperatorRequest& request) { return operations.run(request); }, log);
    if (!control) {
        return report(control.error());
    }
    auto gateways = start_gateway_listener(options, **application, **server, log);
    if (!gateways) {
        return report(gateways.error());
    }
    (*server)->run();
    announce(options, **server, gateways->get(), address.text());
    if (first->tenant) {
        print_first_administrator(*first->tenant);
    }
    if (first->demo) {
        print_demo((*application)->public_url(), *first->demo);
    }
    wait_for_stop(signals, **application, **server);
    if (*gateways != nullptr) {
        (*gateways)->stop();
    }
    (*server)->stop();
    control->reset();
    (*application)->maintain();
    return 0;
}

} // namespace claviger
