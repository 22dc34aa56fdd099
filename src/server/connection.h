// SPDX-License-Identifier: Apache-2.0
// One client connection, from accept to close: requests in order, one at a time.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "server/io_thread.h"
#include "server/own_routes.h"
#include "server/wire.h"

namespace claviger {

/// Takes over an accepted socket; the connection owns itself until it ends. With `tls` the
/// handshake comes first.
void start_connection(IoThread& thread, Socket socket, ConnectionCounts::Place place,
                      std::shared_ptr<boost::asio::ssl::context> tls, Serves serves);

} // namespace claviger
