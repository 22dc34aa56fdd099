// SPDX-License-Identifier: Apache-2.0
#include "server/acceptor.h"

#include <sys/socket.h>

namespace claviger {

namespace asio = boost::asio;

Acceptor::Acceptor(IoThread& thread, TlsContexts* tls, Serves serves)
    : thread_(thread), tls_(tls), serves_(serves), acceptor_(thread.context().get_executor()),
      pause_(thread.context()), accepted_(thread.context().get_executor()) {}

Result<void> Acceptor::open(const Endpoint& endpoint) {
    boost::system::error_code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) {
        const int on = 1;
        ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        acceptor_.bind(endpoint, ec);
    }
    if (!ec) {
        acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    }
    if (ec) {
        return fail(ErrorCode::unavailable, "cannot listen on " + endpoint.address().to_string() +
                                                ":" + std::to_string(endpoint.port()) + ": " +
                                                ec.message());
    }
    return {};
}

std::uint16_t Acceptor::port() const {
    boost::system::error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
}

void Acceptor::start() {
    accept_next();
}

void Acceptor::stop_if_on(const IoThread& thread) {
    if (&thread != &thread_) {
        return;
    }
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

void Acceptor::accept_next() {
    acceptor_.async_accept(accepted_, [this](boost::system::error_code ec) {
        if (ec == asio::error::operation_aborted || !acceptor_.is_open()) {
            return;
        }
        if (ec) {
            // Out of file descriptors, mostly: waiting is better than spinning.
            thread_.metrics().rejected_connections.fetch_add(1, std::memory_order_relaxed);
            pause();
            return;
        }
        Socket socket = std::move(accepted_);
        accepted_ = Socket(thread_.context().get_executor());
        take(std::move(socket));
        accept_next();
    });
}

void Acceptor::take(Socket socket) {
    boost::system::error_code ec;
    const std::string source = socket.remote_endpoint(ec).address().to_string();
    ServerEnvironment& environment = thread_.environment();
    if (ec) {
        return; // gone already
    }
    if (!environment.counts.enter(source, environment.limits)) {
        thread_.metrics().rejected_connections.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    start_connection(thread_, std::move(socket), tls_ != nullptr ? tls_->current() : nullptr,
                     serves_);
}

void Acceptor::pause() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](boost::system::error_code ec) {
        if (!ec) {
            accept_next();
        }
    });
}

} // namespace claviger
