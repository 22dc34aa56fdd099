// SPDX-License-Identifier: Apache-2.0
// One client connection, from accept to close: requests in order, one at a time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "server/io_thread.h"

namespace claviger {

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// What a listener serves besides /healthz and /readyz.
enum class Serves : std::uint8_t { api, metrics };

/// Takes over an accepted socket; the connection owns itself until it ends. With `tls` the
/// handshake comes first.
void start_connection(IoThread& thread, Socket socket,
                      std::shared_ptr<boost::asio::ssl::context> tls, Serves serves);

} // namespace claviger
