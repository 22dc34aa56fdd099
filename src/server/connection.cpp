// SPDX-License-Identifier: Apache-2.0
// GCC 12 miscompiles temporaries in co_await expressions: a co_await stands alone or initialises a
// variable, and what it needs is named on the line before.
#include "server/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/secret.h"
#include "server/admit.h"
#include "server/body_reader.h"
#include "server/conversation.h"
#include "server/waits.h"

namespace claviger {
namespace {

namespace asio = boost::asio;

constexpr std::size_t flush_above = 64 * 1024;   // answers are gathered up to this
constexpr std::size_t most_drained = 256 * 1024; // read and thrown away before closing
constexpr std::int64_t drain_milliseconds = 1'000;
constexpr std::int64_t body_bytes_per_millisecond = 64; // the least, above the fixed time

template <class Stream>
class Connection final : public TimedConnection {
public:
    Connection(IoThread& thread, Stream stream, ConnectionCounts::Place place,
               std::shared_ptr<asio::ssl::context> tls, Serves serves)
        : thread_(thread), environment_(thread.environment()), place_(std::move(place)),
          tls_(std::move(tls)), wire_(std::move(stream)), talk_(thread, place_.source(), serves) {
        thread_.add(*this);
    }
    ~Connection() override { thread_.remove(*this); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void expire() override {
        if (wire_.is_reading()) {
            is_expired_ = true;
            wire_.cancel_read();
        } else if (is_streaming_) {
            wire_.cut();
        } else {
            wire_.close();
        }
    }
    void stop() override {
        if (is_idle_) {
            wire_.cancel_read();
        }
    }

    static Awaitable<void> run(std::unique_ptr<Connection> self) {
        self->set_deadline(self->environment_.limits.handshake_milliseconds);
        const bool is_greeted = co_await self->wire_.shake_hands();
        bool goes_on = is_greeted;
        while (goes_on) {
            goes_on = co_await self->serve_one();
        }
        if (is_greeted) {
            co_await self->say_goodbye();
        }
    }

private:
    Awaitable<bool> serve_one();
    Awaitable<bool> read_head();
    Awaitable<BodyReader::Progress> read_body(BodyReader& body, const Task& task,
                                              bool expects_continue);
    Awaitable<HttpResponse> serve_on(WorkerPool& pool, const HttpRequest& request);
    void place_follower(HttpResponse& response, const HttpRequest& request);
    Awaitable<bool> send_pieces(HttpResponse& response, const HttpRequest& request);
    Awaitable<bool> send_stream(BodyStream& stream, const HttpRequest& request);
    Awaitable<bool> send_followed(FollowedBody& body, const HttpRequest& request);
    Awaitable<Durability> wait_for(AuditTicket ticket);
    Awaitable<bool> flush();
    Awaitable<void> say_goodbye();

    bool cut_off(const Error& error, const HttpRequest& request) {
        talk_.record_cut(error, request);
        wire_.cut();
        return false;
    }
    void set_deadline(std::int64_t milliseconds) {
        deadline_milliseconds = thread_.deadline_in(milliseconds);
    }

    IoThread& thread_;
    ServerEnvironment& environment_;
    ConnectionCounts::Place place_;
    std::shared_ptr<asio::ssl::context> tls_; // shared: outlives a certificate change
    Wire<Stream> wire_;
    Conversation talk_;
    std::size_t head_size_ = 0;
    bool is_idle_ = false; // waits for the first byte of a request
    bool is_streaming_ = false;
    std::optional<IoThread::Follower> follower_; // while it sends what follows the directory
    bool is_expired_ = false;
};

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
        if (!was_idle || !thread_.is_stopping()) {
            has_read = co_await wire_.read_some(talk_.in);
        }
        is_idle_ = false;
        if (!has_read && was_idle && thread_.is_stopping()) {
            has_read = wire_.read_now(talk_.in); // what arrived before the stop is still answered
        }
        if (!has_read) {
            co_return is_expired_ && !was_idle &&
                talk_.refuse(408, "The request head came too slowly.");
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
    Task& task = talk_.begin_task(*head);
    if (head->content_length > task.plan.max_body) {
        co_return talk_.refuse(413, "The body is larger than this path takes.", task.request);
    }
    BodyReader body(task.request.body, task.plan.max_body, *head);
    auto progress = body.read(talk_.in); // ends the life of the head's views
    if (progress == BodyReader::Progress::needs_more) {
        progress = co_await read_body(body, task, head->expects_continue);
    }
    if (progress == BodyReader::Progress::refused) {
        co_return talk_.refuse(body.refusal().status, body.refusal().detail, task.request);
    }
    if (progress == BodyReader::Progress::needs_more) {
        co_return false;
    }
    talk_.close_after = talk_.close_after || body.has_trailer();

    set_deadline(environment_.limits.answer_milliseconds);
    HttpResponse response;
    if (talk_.must_block(task)) {
        const bool hashes = task.plan.request_class == RequestClass::token ||
                            task.plan.request_class == RequestClass::sign_in;
        WorkerPool& pool = hashes ? environment_.sign_ins : environment_.workers;
        response = co_await serve_on(pool, task.request);
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
    talk_.forget_secrets();
    place_follower(response, task.request);
    talk_.put_answer(response, task.request, task.plan.route_id);
    bool is_sent = true;
    if (response.comes_in_pieces() && task.request.method != HttpMethod::head) {
        is_sent = co_await send_pieces(response, task.request);
    } else if (talk_.out.size() > flush_above) {
        is_sent = co_await flush();
    }
    co_return is_sent && !talk_.close_after;
}

/// Reads the rest of a body that has not come in at once.
template <class Stream>
Awaitable<BodyReader::Progress> Connection<Stream>::read_body(BodyReader& body, const Task& task,
                                                              bool expects_continue) {
    BodyShare share(environment_.body_bytes, environment_.limits.body_bytes);
    set_deadline(environment_.limits.body_milliseconds +
                 static_cast<std::int64_t>(task.plan.max_body) / body_bytes_per_millisecond);
    const std::int64_t deadline = deadline_milliseconds;
    if (expects_continue) {
        talk_.out += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    auto progress = BodyReader::Progress::needs_more;
    while (progress == BodyReader::Progress::needs_more) {
        const bool is_sent = co_await flush();
        if (!is_sent) {
            break;
        }
        deadline_milliseconds = deadline;
        const bool has_read = co_await wire_.read_some(talk_.in);
        if (!has_read && is_expired_) {
            talk_.refuse(408, "The body came too slowly.", task.request);
        }
        if (!has_read) {
            break;
        }
        progress = body.read(talk_.in);
        if (!share.grow_to(task.request.body.size())) {
            talk_.refuse(503, "The server is busy.", task.request);
            co_return BodyReader::Progress::needs_more;
        }
    }
    co_return progress;
}

/// Serves the request on a worker. Earlier answers go first.
template <class Stream>
Awaitable<HttpResponse> Connection<Stream>::serve_on(WorkerPool& pool, const HttpRequest& request) {
    co_await flush();
    if (!pool.enter()) {
        co_return talk_.unavailable("The server is busy.", request);
    }
    auto serve = [this, &request] { return environment_.handler.serve(request); };
    set_deadline(environment_.limits.answer_milliseconds);
    auto response = co_await run_on<HttpResponse>(thread_, pool, serve);
    co_return response;
}

/// Who follows the directory needs a place; there are not many.
template <class Stream>
void Connection<Stream>::place_follower(HttpResponse& response, const HttpRequest& request) {
    follower_.reset();
    if (response.followed != nullptr && !follower_.emplace(thread_).has_place()) {
        response = talk_.unavailable("Too many connections wait for news.", request);
    }
}

/// Sends the body that belongs to the head put last, as it is made. False when it was cut off.
template <class Stream>
Awaitable<bool> Connection<Stream>::send_pieces(HttpResponse& response,
                                                const HttpRequest& request) {
    is_streaming_ = true;
    bool is_whole = false;
    if (response.stream != nullptr) {
        is_whole = co_await send_stream(*response.stream, request);
    } else {
        is_whole = co_await send_followed(*response.followed, request);
    }
    follower_.reset();
    if (is_whole) {
        talk_.put_end_of_chunks();
        is_streaming_ = false;
    }
    co_return is_whole;
}

template <class Stream>
Awaitable<bool> Connection<Stream>::send_stream(BodyStream& stream, const HttpRequest& request) {
    std::string chunk;
    auto make_chunk = [&stream, &chunk] { return next_chunk(stream, chunk); };
    bool goes_on = true;
    while (goes_on) {
        WorkerPool& pool = environment_.workers;
        pool.enter_again();
        set_deadline(environment_.limits.answer_milliseconds);
        const auto has_more = co_await run_on<Result<bool>>(thread_, pool, make_chunk);
        if (!has_more) {
            co_return cut_off(has_more.error(), request);
        }
        goes_on = *has_more;
        if (goes_on) {
            talk_.put_chunk(chunk);
            wipe(chunk);
            const bool is_sent = co_await flush();
            if (!is_sent) {
                co_return false;
            }
        }
    }
    co_return true;
}

/// What is not there yet is waited for without a worker.
template <class Stream>
Awaitable<bool> Connection<Stream>::send_followed(FollowedBody& body, const HttpRequest& request) {
    std::string chunk;
    auto progress = FollowedBody::Progress::more;
    while (progress != FollowedBody::Progress::ended) {
        const auto next = next_piece(body, chunk, thread_.is_stopping());
        if (!next) {
            co_return cut_off(next.error(), request);
        }
        progress = *next;
        if (!chunk.empty()) {
            talk_.put_chunk(chunk);
            chunk.clear();
        }
        if (progress == FollowedBody::Progress::waiting && talk_.out.empty()) {
            set_deadline(environment_.limits.answer_milliseconds);
            co_await wait_for_change(thread_);
        } else if (progress != FollowedBody::Progress::ended) {
            const bool is_sent = co_await flush(); // after which there may be news
            if (!is_sent) {
                co_return false;
            }
        }
    }
    co_return true;
}

template <class Stream>
Awaitable<Durability> Connection<Stream>::wait_for(AuditTicket ticket) {
    const Durability durability = environment_.access_events.durability(ticket);
    if (durability != Durability::pending) {
        co_return durability;
    }
    co_await flush(); // earlier answers need not wait as well
    set_deadline(environment_.limits.answer_milliseconds);
    const Durability outcome = co_await wait_for_ticket(thread_, ticket);
    co_return outcome;
}

/// Sends what has been answered.
template <class Stream>
Awaitable<bool> Connection<Stream>::flush() {
    if (talk_.out.empty()) {
        co_return wire_.is_open();
    }
    co_await wait_for_end_of_round(thread_);
    set_deadline(environment_.limits.write_milliseconds);
    const bool is_sent = co_await wire_.write(talk_.out);
    co_return is_sent;
}

/// Sends the last answers, and reads on for a moment so that they are not lost to a reset.
template <class Stream>
Awaitable<void> Connection<Stream>::say_goodbye() {
    const bool is_sent = co_await flush();
    if (!is_sent || wire_.has_ended()) {
        co_return;
    }
    set_deadline(drain_milliseconds);
    co_await wire_.end_writing();
    bool goes_on = true;
    for (std::size_t drained = 0; goes_on && drained < most_drained; drained += talk_.in.size()) {
        talk_.in.clear();
        goes_on = co_await wire_.read_some(talk_.in);
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
    boost::system::error_code ignored;
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
