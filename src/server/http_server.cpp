// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "server/connection.h"

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

Acceptor::Take HttpServer::taker(IoThread& thread, TlsContexts* tls, Serves serves) {
    return [&thread, tls, serves](Socket socket, const asio::ip::address& source) {
        auto place = thread.environment().counts.enter(source);
        if (!place) {
            thread.metrics().rejected_connections.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        start_connection(thread, std::move(socket), *std::move(place),
                         tls != nullptr ? tls->current() : nullptr, serves);
    };
}

Result<std::uint16_t> HttpServer::open_acceptor(IoThread& thread,
                                                const Acceptor::Endpoint& endpoint,
                                                Acceptor::Take take) {
    auto acceptor = std::make_unique<Acceptor>(thread, std::move(take));
    TRY(acceptor->open(endpoint));
    acceptors_.push_back(std::move(acceptor));
    return acceptors_.back()->port();
}

Result<std::uint16_t> HttpServer::add_listener(const ListenAddress& address, Acceptor::Take take) {
    const Acceptor::Endpoint endpoint = TRY(resolve(address));
    TRY(Acceptor::check_free(endpoint));
    return open_acceptor(*io_threads_.front(), endpoint, std::move(take));
}

Result<void> HttpServer::open_acceptors() {
    Acceptor::Endpoint endpoint = TRY(resolve(options_.listen));
    TRY(Acceptor::check_free(endpoint));
    for (const auto& thread : io_threads_) {
        // The first one chooses it.
        const std::uint16_t port =
            TRY(open_acceptor(*thread, endpoint, taker(*thread, tls_.get(), Serves::api)));
        endpoint.port(port);
    }
    port_ = endpoint.port();
    if (options_.metrics) {
        metrics_port_ = TRY(
            add_listener(*options_.metrics, taker(*io_threads_.front(), nullptr, Serves::metrics)));
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
