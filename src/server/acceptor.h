// SPDX-License-Identifier: Apache-2.0
// Accepts connections on one thread. Several acceptors share an address (SO_REUSEPORT), so that the
// kernel spreads connections and threads share nothing.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/error.h"
#include "server/connection.h"
#include "server/tls.h"

namespace claviger {

class Acceptor {
public:
    using Endpoint = boost::asio::ip::tcp::endpoint;

    /// `tls` may be null. Both must outlive the acceptor.
    Acceptor(IoThread& thread, TlsContexts* tls, Serves serves);
    Result<void> open(const Endpoint& endpoint);
    std::uint16_t port() const;
    /// On the thread, from here on.
    void start();
    /// Stops accepting, if it is `thread` that runs this.
    void stop_if_on(const IoThread& thread);

private:
    void accept_next();
    void take(Socket socket);
    void pause();

    IoThread& thread_;
    TlsContexts* tls_;
    Serves serves_;
    boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>
        acceptor_;
    boost::asio::steady_timer pause_;
    Socket accepted_;
};

} // namespace claviger
