// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "server/acceptor.h"

namespace claviger {
namespace {

namespace asio = boost::asio;

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

/// Wakes the threads after each batch of the access event log and after each change of the
/// directory, as long as there are threads.
class ThreadBell {
public:
    void ring() {
        const std::scoped_lock lock(mutex_);
        for (IoThread* thread : threads_) {
            thread->wake_waiting();
        }
    }
    void ring_followers() {
        const std::scoped_lock lock(mutex_);
        for (IoThread* thread : threads_) {
            thread->wake_followers();
        }
    }
    void set_threads(std::vector<IoThread*> threads) {
        const std::scoped_lock lock(mutex_);
        threads_ = std::move(threads);
    }

private:
    std::mutex mutex_;
    std::vector<IoThread*> threads_;
};

HttpServer::HttpServer(HttpServerOptions options, TrustedProxies proxies, HttpHandler& handler,
                       AccessEventLog& access_events, Random& random, const Clock& clock, Log& log,
                       ReadinessCheck readiness, MetricSource metrics)
    : options_(std::move(options)),
      environment_{
          handler,
          access_events,
          random,
          clock,
          log,
          options_.limits,
          std::move(proxies),
          std::move(readiness),
          WorkerPool(options_.workers, options_.limits.queued_work),
          WorkerPool(options_.sign_in_workers, options_.limits.queued_sign_ins),
          ConnectionCounts(options_.limits),
          0,
          0,
          [this] { return metrics_text(); },
      },
      metrics_(std::move(metrics)), bell_(std::make_shared<ThreadBell>()) {
    std::vector<IoThread*> threads;
    for (unsigned i = 0; i < options_.threads; ++i) {
        io_threads_.push_back(std::make_unique<IoThread>(environment_));
        threads.push_back(io_threads_.back().get());
    }
    bell_->set_threads(std::move(threads));
    access_events.add_batch_listener([bell = bell_] { bell->ring(); });
}

HttpServer::~HttpServer() {
    stop();
    // Nobody may touch a thread's loop any more: neither a worker nor the access event log.
    environment_.workers.finish();
    environment_.sign_ins.finish();
    bell_->set_threads({});
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
    TRY(Acceptor::check_free(endpoint));
    for (const auto& thread : io_threads_) {
        auto acceptor = std::make_unique<Acceptor>(*thread, tls_.get(), Serves::api);
        TRY(acceptor->open(endpoint));
        endpoint.port(acceptor->port()); // the first one chose it
        acceptors_.push_back(std::move(acceptor));
    }
    port_ = endpoint.port();
    if (options_.metrics) {
        const Acceptor::Endpoint metrics = TRY(resolve(*options_.metrics));
        TRY(Acceptor::check_free(metrics));
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

std::function<void()> HttpServer::change_listener() const {
    return [bell = bell_] { bell->ring_followers(); };
}

void HttpServer::reload_certificates() {
    if (tls_) {
        tls_->reload();
    }
}

void HttpServer::stop_on(IoThread& thread) {
    for (const auto& acceptor : acceptors_) {
        acceptor->stop_if_on(thread);
    }
    thread.begin_stop();
}

void HttpServer::stop() {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        IoThread& thread = *io_threads_[i];
        asio::post(thread.context(), [this, &thread] { stop_on(thread); });
    }
    for (std::thread& thread : threads_) {
        thread.join(); // a loop ends when its last connection has closed
    }
    threads_.clear();
}

std::string HttpServer::metrics_text() const {
    std::vector<const ThreadMetrics*> figures{&other_metrics_};
    figures.reserve(io_threads_.size() + 1);
    for (const auto& thread : io_threads_) {
        figures.push_back(&thread->metrics());
    }
    return render_metrics(figures, metrics_, options_.version);
}

} // namespace claviger
