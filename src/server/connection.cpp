// SPDX-License-Identifier: Apache-2.0
// GCC 12 miscompiles capturing lambdas and brace-built structs inside a co_await expression: they
// are named on the line before.
#include "server/connection.h"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/secret.h"
#include "server/admit.h"
#include "server/body_parser.h"
#include "server/conversation.h"

namespace claviger {
namespace {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using SystemError = boost::system::error_code;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_awaitable{};

constexpr std::size_t small_read = 2 * 1024;     // while little comes in
constexpr std::size_t large_read = 16 * 1024;    // once a small read was not enough
constexpr std::size_t flush_above = 64 * 1024;   // answers are gathered up to this
constexpr std::size_t most_unparsed = 16 * 1024; // bytes that wait for the rest of a chunk line
constexpr std::size_t most_drained = 256 * 1024; // read and thrown away before closing
constexpr std::int64_t drain_milliseconds = 1'000;
constexpr std::int64_t body_bytes_per_millisecond = 64; // the least, above the fixed time

using TlsSocket = asio::ssl::stream<Socket>;

template <class Stream>
class Connection final : public TimedConnection {
public:
    static constexpr bool is_tls = std::is_same_v<Stream, TlsSocket>;

    Connection(IoThread& thread, Stream stream, ConnectionCounts::Place place,
               std::shared_ptr<asio::ssl::context> tls, Serves serves)
        : thread_(thread), environment_(thread.environment()), place_(std::move(place)),
          tls_(std::move(tls)), stream_(std::move(stream)), talk_(thread, place_.source(), serves) {
        thread_.add(*this);
    }
    ~Connection() override { thread_.remove(*this); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void expire() override {
        if (is_reading_) {
            is_expired_ = true;
            cancel_read();
        } else {
            close();
        }
    }
    void stop() override {
        if (is_idle_) {
            cancel_read();
        }
    }

    static Awaitable<void> run(std::unique_ptr<Connection> self) {
        bool is_open = co_await self->shake_hands();
        const bool was_greeted = is_open;
        while (is_open) {
            is_open = co_await self->serve_one();
        }
        if (was_greeted) {
            const bool is_sent = co_await self->flush();
            if (is_sent) {
                co_await self->say_goodbye();
            }
        }
    }

private:
    Awaitable<bool> shake_hands();
    Awaitable<bool> serve_one();
    Awaitable<bool> read_head();
    Awaitable<bool> read_body(BodyParser& parser, const Task& task, bool expects_continue);
    Awaitable<bool> read_some();
    Awaitable<HttpResponse> run_on(WorkerPool& pool, const HttpRequest& request);
    Awaitable<Durability> wait_for(AuditTicket ticket);
    Awaitable<bool> flush();
    Awaitable<void> say_goodbye();

    bool parse(BodyParser& parser, bool& is_refused, const Task& task);
    bool read_last_bytes();
    void take_used(std::size_t count);
    void cancel_read() {
        SystemError ignored;
        stream_.lowest_layer().cancel(ignored);
    }
    void close() {
        SystemError ignored;
        stream_.lowest_layer().close(ignored);
    }
    void set_deadline(std::int64_t milliseconds) {
        deadline_milliseconds = thread_.deadline_in(milliseconds);
    }

    IoThread& thread_;
    ServerEnvironment& environment_;
    ConnectionCounts::Place place_;
    std::shared_ptr<asio::ssl::context> tls_; // shared: outlives a certificate change
    Stream stream_;
    Conversation talk_;
    std::size_t head_size_ = 0;
    std::size_t next_read_ = small_read;
    bool is_reading_ = false;
    bool is_idle_ = false; // waits for the first byte of a request
    bool is_expired_ = false;
    bool has_ended_ = false; // the client has sent its last byte
};

template <class Stream>
Awaitable<bool> Connection<Stream>::shake_hands() {
    if constexpr (is_tls) {
        set_deadline(environment_.limits.handshake_milliseconds);
        SystemError ec;
        auto token = asio::redirect_error(use_awaitable, ec);
        co_await stream_.async_handshake(asio::ssl::stream_base::server, token);
        co_return !ec;
    }
    co_return true;
}

/// Appends what is there to the input. False at the end, on an error and after a deadline.
template <class Stream>
Awaitable<bool> Connection<Stream>::read_some() {
    const std::size_t old_size = talk_.in.size();
    talk_.in.resize(old_size + next_read_);
    auto buffer = asio::buffer(talk_.in.data() + old_size, next_read_);
    SystemError ec;
    auto token = asio::redirect_error(use_awaitable, ec);
    is_reading_ = true;
    const std::size_t count = co_await stream_.async_read_some(buffer, token);
    is_reading_ = false;
    talk_.in.resize(old_size + count);
    next_read_ = count == next_read_ ? large_read : small_read;
    has_ended_ = ec == asio::error::eof;
    co_return !ec && count > 0;
}

/// A request that reached this machine before the server stopped is still answered.
template <class Stream>
bool Connection<Stream>::read_last_bytes() {
    if constexpr (!is_tls) {
        SystemError ec;
        talk_.in.resize(small_read);
        const std::size_t count = stream_.read_some(asio::buffer(talk_.in), ec);
        talk_.in.resize(ec ? 0 : count);
    }
    return !talk_.in.empty();
}

/// Reads until a whole head is there, and answers what will never be one.
template <class Stream>
Awaitable<bool> Connection<Stream>::read_head() {
    HeadScan scan = scan_head(talk_.in, 0);
    set_deadline(environment_.limits.head_milliseconds);
    while (scan.head_size == 0) {
        if (scan.malformed) {
            co_return talk_.refuse(400, "A line ends in a bare line feed.");
        }
        if (talk_.in.size() >= longest_head) {
            break;
        }
        const bool is_sent = co_await flush();
        if (!is_sent) {
            co_return false;
        }
        const bool was_idle = talk_.in.empty();
        if (was_idle) {
            talk_.release_memory();
            set_deadline(environment_.limits.idle_milliseconds);
        }
        is_idle_ = was_idle;
        bool has_read = false;
        if (!(was_idle && thread_.is_stopping())) {
            has_read = co_await read_some();
        }
        is_idle_ = false;
        if (!has_read) {
            const bool is_late = was_idle && thread_.is_stopping() && read_last_bytes();
            if (!is_late) {
                co_return is_expired_ && !was_idle &&
                    talk_.refuse(408, "The request head came too slowly.");
            }
        }
        if (was_idle) {
            set_deadline(environment_.limits.head_milliseconds);
        }
        scan = scan_head(talk_.in, scan.scanned);
    }
    head_size_ = scan.head_size;
    if (head_size_ == 0 || head_size_ > longest_head) {
        co_return talk_.refuse(431, "The request head is longer than 8 KiB.");
    }
    co_return true;
}

/// One request and its answer. False when the connection is to be closed.
template <class Stream>
Awaitable<bool> Connection<Stream>::serve_one() {
    const bool has_head = co_await read_head();
    if (!has_head) {
        co_return false;
    }
    auto head = admit(std::string_view(talk_.in).substr(0, head_size_));
    if (!head) {
        co_return talk_.refuse(head.error().status, head.error().detail);
    }
    Task task = talk_.make_task(*head);
    if (head->content_length > task.plan.max_body) {
        co_return talk_.refuse(413, "The body is larger than this path takes.", task.request);
    }
    BodyParser parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(longest_head));
    parser.body_limit(task.plan.max_body);
    bool is_refused = false;
    bool is_complete = parse(parser, is_refused, task);
    if (!is_complete && !is_refused) {
        is_complete = co_await read_body(parser, task, head->expects_continue);
    }
    if (!is_complete) {
        co_return false;
    }
    talk_.close_after = talk_.close_after || parser.has_trailer;
    task.request.body = std::move(parser.body);

    set_deadline(environment_.limits.answer_milliseconds);
    HttpResponse response;
    if (talk_.must_block(task)) {
        const bool hashes = task.plan.request_class == RequestClass::token ||
                            task.plan.request_class == RequestClass::sign_in;
        WorkerPool& pool = hashes ? environment_.sign_ins : environment_.workers;
        response = co_await run_on(pool, task.request);
    } else {
        response = talk_.serve_here(task);
    }
    if (response.ticket != 0) {
        const Durability durability = co_await wait_for(response.ticket);
        if (durability != Durability::durable) {
            wipe(response.body);
            response = talk_.unavailable("Please try again later.", task.request);
        }
    }
    wipe(task.request.body); // it may hold a secret
    if (task.request.authorization) {
        wipe(*task.request.authorization);
    }
    talk_.put_answer(std::move(response), task.request, task.plan.route_id);
    bool is_sent = true;
    if (talk_.out.size() > flush_above) {
        is_sent = co_await flush();
    }
    co_return is_sent && !talk_.close_after;
}

/// Checks the framing with Beast and collects the body. True once the whole request is there;
/// then, and on the way, its bytes are taken off the input.
template <class Stream>
bool Connection<Stream>::parse(BodyParser& parser, bool& is_refused, const Task& task) {
    SystemError ec;
    const std::size_t used = parser.put(asio::buffer(talk_.in), ec);
    take_used(used); // ends the life of the head's views
    if (ec == boost::beast::http::error::body_limit) {
        is_refused = !talk_.refuse(413, "The body is larger than this path takes.", task.request);
    } else if (ec && ec != boost::beast::http::error::need_more) {
        is_refused = !talk_.refuse(400, "The request's framing is malformed.", task.request);
    } else if (!parser.is_done() && talk_.in.size() > most_unparsed) {
        is_refused = !talk_.refuse(400, "A chunk's line is too long.", task.request);
    }
    return !is_refused && parser.is_done();
}

template <class Stream>
void Connection<Stream>::take_used(std::size_t count) {
    if (count == talk_.in.size()) {
        wipe(talk_.in);
    } else {
        talk_.in.erase(0, count);
    }
}

template <class Stream>
Awaitable<bool> Connection<Stream>::read_body(BodyParser& parser, const Task& task,
                                              bool expects_continue) {
    BodyShare share(environment_.body_bytes, environment_.limits.body_bytes);
    set_deadline(environment_.limits.body_milliseconds +
                 static_cast<std::int64_t>(task.plan.max_body) / body_bytes_per_millisecond);
    const std::int64_t deadline = deadline_milliseconds;
    if (expects_continue) {
        talk_.out += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    while (true) {
        const bool is_sent = co_await flush();
        if (!is_sent) {
            co_return false;
        }
        deadline_milliseconds = deadline;
        const bool has_read = co_await read_some();
        if (!has_read) {
            co_return is_expired_&& talk_.refuse(408, "The body came too slowly.", task.request);
        }
        bool is_refused = false;
        const bool is_done = parse(parser, is_refused, task);
        if (is_done || is_refused) {
            co_return is_done;
        }
        if (!share.grow_to(parser.body.size())) {
            co_return talk_.refuse(503, "The server is busy.", task.request);
        }
    }
}

/// Serves the request on a worker and comes back to this thread. Earlier answers go first.
template <class Stream>
Awaitable<HttpResponse> Connection<Stream>::run_on(WorkerPool& pool, const HttpRequest& request) {
    co_await flush();
    if (!pool.enter()) {
        co_return talk_.unavailable("The server is busy.", request);
    }
    set_deadline(environment_.limits.answer_milliseconds);
    auto start = [this, &pool, &request](auto handler) {
        WorkerPool::Work work = [this, &request, done = std::move(handler)]() mutable {
            HttpResponse response = environment_.handler.serve(request);
            asio::post(thread_.context(),
                       [done = std::move(done), response = std::move(response)]() mutable {
                           done(std::move(response));
                       });
        };
        pool.submit(std::move(work));
    };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<Executor>, void(HttpResponse)>(
        start, use_awaitable);
    auto outcome = co_await std::move(pending);
    co_return outcome;
}

template <class Stream>
Awaitable<Durability> Connection<Stream>::wait_for(AuditTicket ticket) {
    const Durability durability = environment_.access_events.durability(ticket);
    if (durability != Durability::pending) {
        co_return durability;
    }
    co_await flush(); // earlier answers need not wait as well
    set_deadline(environment_.limits.answer_milliseconds);
    auto start = [this, ticket](auto handler) {
        IoThread::Resume resume = [done = std::move(handler)](Durability decided) mutable {
            done(decided);
        };
        thread_.wait_for(ticket, std::move(resume));
    };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Durability)>(
        start, use_awaitable);
    auto outcome = co_await std::move(pending);
    co_return outcome;
}

/// Sends what has been answered.
template <class Stream>
Awaitable<bool> Connection<Stream>::flush() {
    if (talk_.out.empty()) {
        co_return stream_.lowest_layer().is_open();
    }
    set_deadline(environment_.limits.write_milliseconds);
    std::size_t sent = 0;
    SystemError ec;
    if constexpr (!is_tls) {
        // Nearly always everything fits into the socket's buffer at once.
        sent = stream_.write_some(asio::buffer(talk_.out), ec);
        if (ec == asio::error::would_block) {
            ec = {};
        }
    }
    if (!ec && sent < talk_.out.size()) {
        auto rest = asio::buffer(talk_.out.data() + sent, talk_.out.size() - sent);
        auto token = asio::redirect_error(use_awaitable, ec);
        co_await asio::async_write(stream_, rest, token);
    }
    wipe(talk_.out);
    co_return !ec;
}

/// Reads on for a moment before closing, so that the last answer is not lost to a reset.
template <class Stream>
Awaitable<void> Connection<Stream>::say_goodbye() {
    if (has_ended_) {
        co_return;
    }
    SystemError ignored;
    if constexpr (is_tls) {
        set_deadline(drain_milliseconds);
        auto token = asio::redirect_error(use_awaitable, ignored);
        co_await stream_.async_shutdown(token);
    }
    stream_.lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    set_deadline(drain_milliseconds);
    next_read_ = large_read;
    for (std::size_t drained = 0; drained < most_drained; drained += talk_.in.size()) {
        talk_.in.clear();
        const bool has_read = co_await read_some();
        if (!has_read) {
            break;
        }
    }
}

template <class Stream>
void spawn(std::unique_ptr<Connection<Stream>> connection, IoThread& thread) {
    asio::co_spawn(thread.context(), Connection<Stream>::run(std::move(connection)),
                   asio::detached);
}

} // namespace

void start_connection(IoThread& thread, Socket socket, ConnectionCounts::Place place,
                      std::shared_ptr<asio::ssl::context> tls, Serves serves) {
    SystemError ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
    if (tls) {
        TlsSocket stream(std::move(socket), *tls);
        spawn(std::make_unique<Connection<TlsSocket>>(thread, std::move(stream), std::move(place),
                                                      std::move(tls), serves),
              thread);
    } else {
        spawn(std::make_unique<Connection<Socket>>(thread, std::move(socket), std::move(place),
                                                   nullptr, serves),
              thread);
    }
}

} // namespace claviger
