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
#include "base/uuid.h"
#include "server/admit.h"
#include "server/answer.h"
#include "server/body_parser.h"

namespace claviger {
namespace {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using ErrorCodeOf = boost::system::error_code;
template <class T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_awaitable{};

constexpr std::size_t small_read = 2 * 1024;     // while a connection is idle
constexpr std::size_t large_read = 16 * 1024;    // while a body comes in
constexpr std::size_t flush_above = 64 * 1024;   // answers are gathered up to this
constexpr std::size_t most_unparsed = 16 * 1024; // bytes that wait for the rest of a chunk line
constexpr std::size_t most_drained = 256 * 1024; // read and thrown away before closing

using TlsSocket = asio::ssl::stream<Socket>;

template <class Stream>
class Connection final : public TimedConnection {
public:
    Connection(IoThread& thread, Stream stream, std::shared_ptr<asio::ssl::context> tls,
               Serves serves)
        : thread_(thread), environment_(thread.environment()), tls_(std::move(tls)),
          stream_(std::move(stream)), serves_(serves) {
        ErrorCodeOf ignored;
        peer_ = stream_.lowest_layer().remote_endpoint(ignored).address();
        thread_.add(*this);
    }
    ~Connection() override {
        thread_.remove(*this);
        environment_.counts.leave(peer_.to_string());
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void close() override {
        ErrorCodeOf ignored;
        stream_.lowest_layer().close(ignored);
    }
    bool is_idle() const override { return idle_; }

    static Task<void> run(std::unique_ptr<Connection> self) {
        if (co_await self->shake_hands()) {
            while (co_await self->serve_one()) {
            }
            co_await self->drain();
        }
    }

private:
    Task<bool> shake_hands();
    Task<bool> serve_one();
    Task<bool> read_head(std::size_t& head_size);
    Task<bool> read_body(const AdmittedHead& head, const RoutePlan& plan);
    Task<bool> read_some(std::size_t most);
    Task<void> answer(const HttpRequest& request, std::string_view route);
    Task<HttpResponse> work_on(const HttpRequest& request, const RoutePlan& plan);
    Task<HttpResponse> run_on(WorkerPool& pool, const HttpRequest& request);
    Task<Durability> wait_for(AuditTicket ticket);
    Task<bool> flush();
    Task<void> drain();

    HttpRequest make_request(const AdmittedHead& head) const;
    std::optional<HttpResponse> serve_locally(const HttpRequest& request) const;
    void put_answer(HttpResponse response, const HttpRequest& request, std::string_view route);
    bool refuse(int status, std::string_view detail);
    void set_deadline(std::int64_t milliseconds) {
        deadline_milliseconds = environment_.clock.monotonic_milliseconds() + milliseconds;
    }

    IoThread& thread_;
    ServerEnvironment& environment_;
    std::shared_ptr<asio::ssl::context> tls_; // shared: outlives a certificate change
    Stream stream_;
    Serves serves_;
    asio::ip::address peer_;
    std::string in_;   // read and not yet used
    std::string out_;  // answered and not yet sent
    std::string body_; // of the request at hand
    bool idle_ = true;
    bool close_after_ = false;
    std::int64_t began_microseconds_ = 0;
};

template <class Stream>
Task<bool> Connection<Stream>::shake_hands() {
    if constexpr (std::is_same_v<Stream, TlsSocket>) {
        set_deadline(environment_.limits.head_milliseconds);
        ErrorCodeOf ec;
        auto token = asio::redirect_error(use_awaitable, ec);
        co_await stream_.async_handshake(asio::ssl::stream_base::server, token);
        co_return !ec;
    }
    co_return true;
}

/// Reads what is there, up to `most` bytes. False at the end or on an error.
template <class Stream>
Task<bool> Connection<Stream>::read_some(std::size_t most) {
    const std::size_t old_size = in_.size();
    in_.resize(old_size + most);
    auto buffer = asio::buffer(in_.data() + old_size, most);
    ErrorCodeOf ec;
    auto token = asio::redirect_error(use_awaitable, ec);
    const std::size_t count = co_await stream_.async_read_some(buffer, token);
    in_.resize(old_size + count);
    co_return !ec && count > 0;
}

/// Reads until a whole head is there.
template <class Stream>
Task<bool> Connection<Stream>::read_head(std::size_t& head_size) {
    idle_ = in_.empty();
    set_deadline(idle_ ? environment_.limits.idle_milliseconds
                       : environment_.limits.head_milliseconds);
    std::size_t searched = 0;
    while (true) {
        const std::size_t end = in_.find("\r\n\r\n", searched);
        if (end != std::string::npos && end + 4 <= longest_head) {
            head_size = end + 4;
            co_return true;
        }
        if (in_.size() >= longest_head) {
            co_return refuse(431, "The request head is longer than 8 KiB.");
        }
        // A line that ends in a bare LF will never be a head: do not wait for more of it.
        const std::size_t line_feed = in_.find('\n');
        if (line_feed != std::string::npos && (line_feed == 0 || in_[line_feed - 1] != '\r')) {
            co_return refuse(400, "A line ends in a bare line feed.");
        }
        searched = in_.size() < 3 ? 0 : in_.size() - 3;
        if (in_.empty() && (thread_.is_stopping() || !co_await flush())) {
            co_return false;
        }
        const bool was_idle = idle_;
        if (!co_await read_some(small_read)) {
            co_return false;
        }
        idle_ = false;
        if (was_idle) {
            set_deadline(environment_.limits.head_milliseconds);
        }
    }
}

template <class Stream>
HttpRequest Connection<Stream>::make_request(const AdmittedHead& head) const {
    HttpRequest request;
    request.method = head.method;
    request.path = head.path;
    request.query = head.query;
    request.host = host_name_of(head.host);
    if (head.authorization) {
        request.authorization = std::string(*head.authorization);
    }
    if (head.content_type) {
        request.content_type = std::string(*head.content_type);
    }
    request.source_ip = environment_.proxies.client_address(peer_, head.forwarded_for);
    request.user_agent = head.user_agent;
    request.request_id = Uuid::make(environment_.random).text();
    return request;
}

/// One request and its answer. False when the connection is to be closed.
template <class Stream>
Task<bool> Connection<Stream>::serve_one() {
    std::size_t head_size = 0;
    if (!co_await read_head(head_size)) {
        co_await flush();
        co_return false;
    }
    began_microseconds_ = environment_.clock.now().microseconds;
    const std::string_view head_bytes = std::string_view(in_).substr(0, head_size);
    const auto head = admit(head_bytes);
    if (!head) {
        refuse(head.error().status, head.error().detail);
        co_await flush();
        co_return false;
    }
    close_after_ = head->close;
    HttpRequest request = make_request(*head);
    const RoutePlan plan = environment_.handler.plan(request.method, request.path);
    if (head->content_length > plan.max_body) {
        refuse(413, "The body is larger than this path takes.");
        co_await flush();
        co_return false;
    }
    if (!co_await read_body(*head, plan)) {
        co_await flush();
        co_return false;
    }
    request.body = std::move(body_);
    body_.clear();
    set_deadline(environment_.limits.answer_milliseconds);
    HttpResponse response = co_await work_on(request, plan);
    wipe(request.body); // it may hold a secret
    close_after_ = close_after_ || thread_.is_stopping();
    put_answer(std::move(response), request, plan.route_id);
    if (out_.size() > flush_above || close_after_) {
        const bool sent = co_await flush();
        co_return sent && !close_after_;
    }
    co_return true;
}

/// Checks the framing with Beast and collects the body. Takes the request's bytes off in_.
template <class Stream>
Task<bool> Connection<Stream>::read_body(const AdmittedHead& head, const RoutePlan& plan) {
    BodyParser parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(longest_head));
    parser.body_limit(plan.max_body);
    bool continue_due = head.expects_continue;
    set_deadline(environment_.limits.body_milliseconds);
    while (true) {
        ErrorCodeOf ec;
        const std::size_t used = parser.put(asio::buffer(in_.data(), in_.size()), ec);
        in_.erase(0, used); // ends the life of the head's views
        if (ec == boost::beast::http::error::body_limit) {
            co_return refuse(413, "The body is larger than this path takes.");
        }
        if (ec && ec != boost::beast::http::error::need_more) {
            co_return refuse(400, "The request's framing is malformed.");
        }
        if (parser.is_done()) {
            body_ = std::move(parser.body);
            co_return true;
        }
        if (in_.size() > most_unparsed) {
            co_return refuse(400, "A chunk's line is too long.");
        }
        if (continue_due) {
            continue_due = false;
            out_ += "HTTP/1.1 100 Continue\r\n\r\n";
            if (!co_await flush()) {
                co_return false;
            }
        }
        if (!co_await read_some(large_read)) {
            co_return false;
        }
    }
}

/// Health and metrics are answered here; everything else is the API's.
template <class Stream>
std::optional<HttpResponse> Connection<Stream>::serve_locally(const HttpRequest& request) const {
    const bool reads = request.method == HttpMethod::get || request.method == HttpMethod::head;
    HttpResponse response;
    response.content_type = "text/plain; charset=utf-8";
    if (reads && request.path == "/healthz") {
        response.body = "ok\n";
        return response;
    }
    if (reads && request.path == "/readyz") {
        const std::string problem = thread_.is_stopping() ? "stopping" : environment_.readiness();
        response.status = problem.empty() ? 200 : 503;
        response.body = problem.empty() ? "ready\n" : problem + "\n";
        return response;
    }
    if (serves_ == Serves::metrics) {
        if (!reads || request.path != "/metrics") {
            return environment_.handler.refuse(404, "There is no such path.", request);
        }
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = environment_.metrics_text();
        return response;
    }
    return std::nullopt;
}

template <class Stream>
Task<HttpResponse> Connection<Stream>::work_on(const HttpRequest& request, const RoutePlan& plan) {
    if (auto local = serve_locally(request)) {
        co_return std::move(*local);
    }
    HttpResponse response;
    if (environment_.handler.runs_on(request) == RunsOn::inline_thread) {
        response = environment_.handler.serve(request);
    } else {
        const bool hashes = plan.request_class == RequestClass::token;
        WorkerPool& pool = hashes ? environment_.sign_ins : environment_.workers;
        response = co_await run_on(pool, request);
    }
    if (response.ticket != 0) {
        const Durability durability = co_await wait_for(response.ticket);
        if (durability != Durability::durable) {
            response = environment_.handler.refuse(503, "Please try again later.", request);
            response.headers.emplace_back("Retry-After", "1");
        }
    }
    co_return response;
}

/// Serves the request on a worker and comes back to this thread.
template <class Stream>
Task<HttpResponse> Connection<Stream>::run_on(WorkerPool& pool, const HttpRequest& request) {
    auto start = [&](auto handler) {
        WorkerPool::Work work = [this, &request, done = std::move(handler)](bool accepted) mutable {
            HttpResponse response =
                accepted ? environment_.handler.serve(request)
                         : environment_.handler.refuse(503, "The server is busy.", request);
            if (!accepted) {
                response.headers.emplace_back("Retry-After", "1");
            }
            asio::post(thread_.context(),
                       [done = std::move(done), response = std::move(response)]() mutable {
                           done(std::move(response));
                       });
        };
        if (!pool.submit(work)) {
            work(false);
        }
    };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<Executor>, void(HttpResponse)>(
        start, use_awaitable);
    co_return co_await std::move(pending);
}

template <class Stream>
Task<Durability> Connection<Stream>::wait_for(AuditTicket ticket) {
    auto start = [&](auto handler) {
        IoThread::Resume resume = [done = std::move(handler)](Durability durability) mutable {
            done(durability);
        };
        thread_.wait_for(ticket, std::move(resume));
    };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Durability)>(
        start, use_awaitable);
    co_return co_await std::move(pending);
}

template <class Stream>
void Connection<Stream>::put_answer(HttpResponse response, const HttpRequest& request,
                                    std::string_view route) {
    AnswerFrame frame;
    frame.date = thread_.date();
    frame.request_id = request.request_id;
    frame.close = close_after_;
    frame.head_only = request.method == HttpMethod::head;
    append_answer(out_, response, frame);
    const auto elapsed = environment_.clock.now().microseconds - began_microseconds_;
    thread_.metrics().record(route, request.method, response.status,
                             static_cast<double>(elapsed) / 1e6);
    if (response.status >= 500) {
        environment_.log.write(LogLevel::warning, "answered with a server error",
                               {{"status", std::int64_t{response.status}},
                                {"route", route},
                                {"request_id", std::string_view(request.request_id)}});
    }
    wipe(response.body); // it may hold a secret or a token
}

/// Puts the answer of a refused head or body, after which the connection closes. Always false.
template <class Stream>
bool Connection<Stream>::refuse(int status, std::string_view detail) {
    HttpRequest request;
    request.request_id = Uuid::make(environment_.random).text();
    close_after_ = true;
    put_answer(environment_.handler.refuse(status, detail, request), request, "refused");
    return false;
}

/// Sends what has been answered.
template <class Stream>
Task<bool> Connection<Stream>::flush() {
    if (out_.empty()) {
        co_return true;
    }
    set_deadline(environment_.limits.write_milliseconds);
    std::size_t sent = 0;
    ErrorCodeOf ec;
    if constexpr (std::is_same_v<Stream, Socket>) {
        // Nearly always everything fits into the socket's buffer at once.
        sent = stream_.write_some(asio::buffer(out_), ec);
        if (ec == asio::error::would_block) {
            ec = {};
        }
    }
    if (!ec && sent < out_.size()) {
        auto rest = asio::buffer(out_.data() + sent, out_.size() - sent);
        auto token = asio::redirect_error(use_awaitable, ec);
        co_await asio::async_write(stream_, rest, token);
    }
    out_.clear();
    if (out_.capacity() > large_read) {
        out_.shrink_to_fit();
    }
    set_deadline(environment_.limits.idle_milliseconds);
    co_return !ec;
}

/// Reads on for a moment before closing, so that the last answer is not lost to a reset.
template <class Stream>
Task<void> Connection<Stream>::drain() {
    ErrorCodeOf ignored;
    stream_.lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    set_deadline(1000);
    std::size_t drained = 0;
    while (drained < most_drained) {
        in_.clear();
        if (!co_await read_some(large_read)) {
            break;
        }
        drained += in_.size();
    }
    close();
}

template <class Stream>
void spawn(IoThread& thread, Stream stream, std::shared_ptr<asio::ssl::context> tls,
           Serves serves) {
    auto connection =
        std::make_unique<Connection<Stream>>(thread, std::move(stream), std::move(tls), serves);
    asio::co_spawn(thread.context(), Connection<Stream>::run(std::move(connection)),
                   asio::detached);
}

} // namespace

void start_connection(IoThread& thread, Socket socket, std::shared_ptr<asio::ssl::context> tls,
                      Serves serves) {
    ErrorCodeOf ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
    if (tls) {
        TlsSocket stream(std::move(socket), *tls);
        spawn(thread, std::move(stream), std::move(tls), serves);
    } else {
        spawn(thread, std::move(socket), nullptr, serves);
    }
}

} // namespace claviger
