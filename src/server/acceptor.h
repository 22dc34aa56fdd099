// SPDX-License-Identifier: Apache-2.0
// Accepts connections on one thread. Several acceptors share an address (SO_REUSEPORT), so that the
// kernel spreads connections and threads share nothing.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "base/error.h"
#include "server/io_thread.h"
#include "server/wire.h"

namespace claviger {

/// A file descriptor kept for the moment when there are none left.
class ReserveFile {
public:
    ReserveFile() { open(); }
    ~ReserveFile() { close(); }
    ReserveFile(const ReserveFile&) = delete;
    ReserveFile& operator=(const ReserveFile&) = delete;

    bool is_open() const { return descriptor_ >= 0; }
    void open();
    void close();

private:
    int descriptor_ = -1;
};

class Acceptor {
public:
    using Endpoint = boost::asio::ip::tcp::endpoint;

    /// Takes over a socket that was accepted from this address.
    using Take = std::function<void(Socket socket, const boost::asio::ip::address& source)>;

    /// `take` is called on the thread. Both must outlive the acceptor.
    Acceptor(IoThread& thread, Take take);
    Result<void> open(const Endpoint& endpoint);
    std::uint16_t port() const;
    /// Before the thread runs, or on it.
    void start();
    /// Stops accepting, if it is `thread` that runs this.
    void stop_if_on(const IoThread& thread);

    /// `unavailable` when another socket, of this process or any other, listens there:
    /// SO_REUSEPORT alone would share the port with it.
    static Result<void> check_free(const Endpoint& endpoint);

private:
    using Listener = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                        boost::asio::io_context::executor_type>;

    void accept_next();
    void take(Socket socket);
    void turn_one_away();
    void pause();

    IoThread& thread_;
    Take take_;
    Listener listener_;
    boost::asio::steady_timer pause_;
    Socket accepted_;
    ReserveFile reserve_;
};

} // namespace claviger
