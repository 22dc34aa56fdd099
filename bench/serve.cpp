// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <csignal>
#include <cstdio>
#include <functional>

#include "bench/bench.h"
#include "server/http_server.h"

namespace claviger::bench {
namespace {

/// The server's cost without the API: whatever is asked, the answer is there.
class BareHandler final : public HttpHandler {
public:
    RoutePlan plan(HttpMethod, std::string_view) const override {
        return {64 * 1024, RequestClass::token, "bare"};
    }
    RunsOn runs_on(const HttpRequest&) const override { return RunsOn::inline_thread; }
    HttpResponse serve(const HttpRequest& request) override {
        const std::string_view path = request.path;
        const std::string_view segment = path.substr(path.rfind('/') + 1);
        std::size_t size = 0;
        std::from_chars(segment.data(), segment.data() + segment.size(), size);
        HttpResponse response;
        response.body.assign(size, 'x');
        return response;
    }
    HttpResponse refuse(int status, std::string_view, const HttpRequest&) override {
        HttpResponse response;
        response.status = status;
        return response;
    }
};

/// Serves on one thread until SIGTERM.
Result<void> serve(HttpHandler& handler, Application& application, Log& log) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    HttpServerOptions options;
    options.listen = {"127.0.0.1", 0};
    const auto server = TRY(HttpServer::bind(
        options, handler, application.access_events(), application.random(), application.clock(),
        log, [] { return std::string(); }, [] { return std::vector<Metric>(); }));
    server->run();
    std::printf("claviger: listening on http://127.0.0.1:%u\n", unsigned{server->port()});
    std::fflush(stdout);
    int signal = 0;
    ::sigwait(&signals, &signal);
    server->stop();
    return {};
}

} // namespace

Result<void> serve_bare(const std::filesystem::path& directory) {
    JsonLog log(LogLevel::info); // as in the server
    const auto application = TRY(open_without_audit(directory, log));
    BareHandler handler;
    return serve(handler, *application, log);
}

Result<void> serve_without_audit(const std::filesystem::path& directory) {
    JsonLog log(LogLevel::info);
    const auto application = TRY(open_without_audit(directory, log));
    return serve(application->dispatcher(), *application, log);
}

} // namespace claviger::bench
