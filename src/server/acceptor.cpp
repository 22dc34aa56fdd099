// SPDX-License-Identifier: Apache-2.0
#include "server/acceptor.h"

#include <boost/asio/detail/socket_option.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace claviger {

namespace asio = boost::asio;

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::unexpected<Error> cannot_listen(const Acceptor::Endpoint& endpoint,
                                     const boost::system::error_code& ec) {
    const std::string host = endpoint.address().to_string();
    return fail(ErrorCode::unavailable,
                "cannot listen on " + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
                    std::to_string(endpoint.port()) + ": " + ec.message());
}

} // namespace

void ReserveFile::open() {
    descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void ReserveFile::close() {
    if (is_open()) {
        ::close(descriptor_);
        descriptor_ = -1;
    }
}

Acceptor::Acceptor(IoThread& thread, Take take)
    : thread_(thread), take_(std::move(take)), listener_(thread.context().get_executor()),
      pause_(thread.context()), accepted_(thread.context().get_executor()) {}

Result<void> Acceptor::check_free(const Endpoint& endpoint) {
    asio::io_context context;
    asio::ip::tcp::acceptor probe(context);
    boost::system::error_code ec;
    probe.open(endpoint.protocol(), ec);
    if (!ec) {
        probe.set_option(asio::socket_base::reuse_address(true), ec);
        probe.bind(endpoint, ec);
    }
    return ec ? Result<void>(cannot_listen(endpoint, ec)) : Result<void>();
}

Result<void> Acceptor::open(const Endpoint& endpoint) {
    boost::system::error_code ec;
    listener_.open(endpoint.protocol(), ec);
    if (!ec) {
        listener_.set_option(asio::socket_base::reuse_address(true), ec);
        listener_.set_option(ReusePort(true), ec);
        listener_.bind(endpoint, ec);
    }
    if (!ec) {
        listener_.listen(asio::socket_base::max_listen_connections, ec);
    }
    return ec ? Result<void>(cannot_listen(endpoint, ec)) : Result<void>();
}

std::uint16_t Acceptor::port() const {
    boost::system::error_code ignored;
    return listener_.local_endpoint(ignored).port();
}

void Acceptor::start() {
    accept_next();
}

void Acceptor::stop_if_on(const IoThread& thread) {
    if (&thread != &thread_) {
        return;
    }
    boost::system::error_code ignored;
    listener_.close(ignored);
    pause_.cancel();
}

void Acceptor::accept_next() {
    listener_.async_accept(accepted_, [this](boost::system::error_code ec) {
        if (!listener_.is_open()) {
            return;
        }
        if (ec == asio::error::no_descriptors) {
            turn_one_away();
            return;
        }
        if (ec && ec != asio::error::connection_aborted) {
            pause();
            return;
        }
        if (!ec) {
            Socket socket = std::move(accepted_);
            accepted_ = Socket(thread_.context().get_executor());
            take(std::move(socket));
        }
        accept_next();
    });
}

void Acceptor::take(Socket socket) {
    boost::system::error_code ec;
    asio::ip::address source = socket.remote_endpoint(ec).address();
    if (ec) {
        return; // gone already
    }
    if (source.is_v6() && source.to_v6().is_v4_mapped()) {
        source = asio::ip::make_address_v4(asio::ip::v4_mapped, source.to_v6());
    }
    take_(std::move(socket), source);
}

/// Out of file descriptors: closes one waiting connection by means of the reserve, then rests, so
/// that nobody hangs for ever and the loop does not spin.
void Acceptor::turn_one_away() {
    thread_.metrics().rejected_connections.fetch_add(1, std::memory_order_relaxed);
    reserve_.close();
    const int waiting = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
    if (waiting >= 0) {
        ::close(waiting);
    }
    reserve_.open();
    pause();
}

void Acceptor::pause() {
    pause_.expires_after(std::chrono::milliseconds(10));
    pause_.async_wait([this](boost::system::error_code ec) {
        if (!ec) {
            accept_next();
        }
    });
}

} // namespace claviger
