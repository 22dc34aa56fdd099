// SPDX-License-Identifier: Apache-2.0
// The bytes of one connection, with TLS or without: reading, writing, ending. It knows neither
// requests nor deadlines. Errors are not told apart: whatever happens, the connection is over.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "base/secret.h"

namespace claviger {

using LoopExecutor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, LoopExecutor>;
using TlsSocket = boost::asio::ssl::stream<Socket>;
template <class T>
using Awaitable = boost::asio::awaitable<T, LoopExecutor>;
inline constexpr boost::asio::use_awaitable_t<LoopExecutor> use_awaitable{};

/// `Stream` is Socket or TlsSocket.
template <class Stream>
class Wire {
public:
    explicit Wire(Stream stream) : stream_(std::move(stream)) {}

    /// True when the TLS handshake is done, or none is needed.
    Awaitable<bool> shake_hands() {
        boost::system::error_code ec;
        if constexpr (is_tls) {
            auto token = boost::asio::redirect_error(use_awaitable, ec);
            co_await stream_.async_handshake(boost::asio::ssl::stream_base::server, token);
        }
        co_return !ec;
    }

    /// Appends what is there, once there is something. False when there will be nothing more, or
    /// after cancel_read().
    Awaitable<bool> read_some(std::string& in) {
        const std::size_t old_size = in.size();
        in.resize(old_size + next_read_);
        auto buffer = boost::asio::buffer(in.data() + old_size, next_read_);
        boost::system::error_code ec;
        auto token = boost::asio::redirect_error(use_awaitable, ec);
        is_reading_ = true;
        const std::size_t count = co_await stream_.async_read_some(buffer, token);
        is_reading_ = false;
        in.resize(old_size + count);
        next_read_ = count == next_read_ ? large_read : small_read;
        has_ended_ = ec == boost::asio::error::eof;
        co_return !ec && count > 0;
    }

    /// Appends what is there already. False when that is nothing.
    bool read_now(std::string& in) {
        std::size_t count = 0;
        if constexpr (!is_tls) {
            const std::size_t old_size = in.size();
            boost::system::error_code ec;
            in.resize(old_size + small_read);
            auto buffer = boost::asio::buffer(in.data() + old_size, small_read);
            count = stream_.read_some(buffer, ec);
            in.resize(old_size + count);
        }
        return count > 0;
    }

    /// Sends all of `out`, and wipes it.
    Awaitable<bool> write(std::string& out) {
        std::size_t sent = 0;
        boost::system::error_code ec;
        if constexpr (!is_tls) {
            // Nearly always everything fits into the socket's buffer at once.
            sent = stream_.write_some(boost::asio::buffer(out), ec);
            if (ec == boost::asio::error::would_block) {
                ec = {};
            }
        }
        if (!ec && sent < out.size()) {
            auto rest = boost::asio::buffer(out.data() + sent, out.size() - sent);
            auto token = boost::asio::redirect_error(use_awaitable, ec);
            co_await boost::asio::async_write(stream_, rest, token);
        }
        wipe(out);
        co_return !ec;
    }

    /// Says that nothing more will be sent.
    Awaitable<void> end_writing() {
        boost::system::error_code ignored;
        if constexpr (is_tls) {
            auto token = boost::asio::redirect_error(use_awaitable, ignored);
            co_await stream_.async_shutdown(token);
        }
        stream_.lowest_layer().shutdown(Socket::shutdown_send, ignored);
        co_return;
    }

    bool is_reading() const { return is_reading_; }
    bool is_open() const { return stream_.lowest_layer().is_open(); }
    /// The client has sent its last byte.
    bool has_ended() const { return has_ended_; }
    void cancel_read() {
        boost::system::error_code ignored;
        stream_.lowest_layer().cancel(ignored);
    }
    /// Closes so that the client cannot take what it has for the whole: with a reset.
    void cut() {
        boost::system::error_code ignored;
        stream_.lowest_layer().set_option(Socket::linger(true, 0), ignored);
        close();
    }
    void close() {
        boost::system::error_code ignored;
        stream_.lowest_layer().close(ignored);
    }

private:
    static constexpr bool is_tls = std::is_same_v<Stream, TlsSocket>;
    static constexpr std::size_t small_read = 2 * 1024;  // while little comes in
    static constexpr std::size_t large_read = 16 * 1024; // once a small read was not enough

    Stream stream_;
    std::size_t next_read_ = small_read;
    bool is_reading_ = false;
    bool has_ended_ = false;
};

} // namespace claviger
