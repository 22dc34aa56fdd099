// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "server/acceptor.h"

namespace claviger {
namespace {

namespace asio = boost::asio;

constexpr std::size_t longest_worker_queue = 1024;
constexpr std::size_t longest_sign_in_queue = 16;
constexpr unsigned sign_in_threads = 2; // one hashes, one waits its turn

Result<Acceptor::Endpoint> resolve(const ListenAddress& address) {
    asio::io_context context;
    asio::ip::tcp::resolver resolver(context);
    boost::system::error_code ec;
    const auto found = resolver.resolve(address.host, std::to_string(address.port), ec);
    if (ec || found.empty()) {
        return fail(ErrorCode::invalid_request,
                    "cannot listen on " + address.host + ": the host is unknown");
    }
    return found.begin()->endpoint();
}

} // namespace

HttpServer::HttpServer(HttpServerOptions options, TrustedProxies proxies, HttpHandler& handler,
                       AccessEventLog& access_events, Random& random, const Clock& clock, Log& log,
                       ReadinessCheck readiness, MetricSource metrics)
    : options_(std::move(options)), environment_{handler,
                                                 access_events,
                                                 random,
                                                 clock,
                                                 log,
                                                 options_.limits,
                                                 std::move(proxies),
                                                 std::move(readiness),
                                                 WorkerPool(options_.workers, longest_worker_queue),
                                                 WorkerPool(sign_in_threads, longest_sign_in_queue),
                                                 {},
                                                 {}},
      metrics_(std::move(metrics)) {
    environment_.metrics_text = [this] { return metrics_text(); };
    for (unsigned i = 0; i < options_.threads; ++i) {
        io_threads_.push_back(std::make_unique<IoThread>(environment_));
    }
    access_events.add_batch_listener([this] {
        for (const auto& thread : io_threads_) {
            thread->wake_waiting();
        }
    });
}

HttpServer::~HttpServer() {
    stop();
}

Result<std::unique_ptr<HttpServer>>
HttpServer::bind(HttpServerOptions options, HttpHandler& handler, AccessEventLog& access_events,
                 Random& random, const Clock& clock, Log& log, ReadinessCheck readiness,
                 MetricSource metrics) {
    TrustedProxies proxies = TRY(TrustedProxies::parse(options.trusted_proxies));
    std::unique_ptr<TlsContexts> tls;
    if (options.tls) {
        tls = TRY(TlsContexts::load(*options.tls, clock, log));
    }
    std::unique_ptr<HttpServer> server(new HttpServer(std::move(options), std::move(proxies),
                                                      handler, access_events, random, clock, log,
                                                      std::move(readiness), std::move(metrics)));
    server->tls_ = std::move(tls);
    TRY(server->open_acceptors());
    return server;
}

Result<void> HttpServer::open_acceptors() {
    Acceptor::Endpoint endpoint = TRY(resolve(options_.listen));
    for (const auto& thread : io_threads_) {
        auto acceptor = std::make_unique<Acceptor>(*thread, tls_.get(), Serves::api);
        TRY(acceptor->open(endpoint));
        endpoint.port(acceptor->port()); // the first one chose it
        acceptors_.push_back(std::move(acceptor));
    }
    port_ = endpoint.port();
    if (options_.metrics) {
        const Acceptor::Endpoint metrics = TRY(resolve(*options_.metrics));
        auto acceptor = std::make_unique<Acceptor>(*io_threads_.front(), nullptr, Serves::metrics);
        TRY(acceptor->open(metrics));
        metrics_port_ = acceptor->port();
        acceptors_.push_back(std::move(acceptor));
    }
    return {};
}

void HttpServer::run() {
    for (const auto& acceptor : acceptors_) {
        acceptor->start();
    }
    for (const auto& thread : io_threads_) {
        thread->start_ticking();
        threads_.emplace_back([&context = thread->context()] { context.run(); });
    }
}

void HttpServer::reload_certificates() {
    if (tls_) {
        tls_->reload();
    }
}

void HttpServer::stop() {
    if (threads_.empty()) {
        return;
    }
    for (const auto& thread : io_threads_) {
        asio::post(thread->context(), [this, &thread] {
            for (const auto& acceptor : acceptors_) {
                acceptor->stop_if_on(*thread);
            }
            thread->begin_stop();
        });
    }
    for (std::thread& thread : threads_) {
        thread.join(); // a loop ends when its last connection has closed
    }
    threads_.clear();
}

std::string HttpServer::metrics_text() const {
    std::vector<const ThreadMetrics*> figures;
    for (const auto& thread : io_threads_) {
        figures.push_back(&thread->metrics());
    }
    return render_metrics(figures, metrics_);
}

} // namespace claviger
