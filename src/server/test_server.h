// SPDX-License-Identifier: Apache-2.0
// For tests: a server on a free port with an API and an access event log that obey the test, and a
// client that sends exact bytes.
#pragma once

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "base/text.h"
#include "server/http_server.h"
#include "server/test_stream.h"
#include "store/memory_audit.h"

namespace claviger::testing {

/// Tickets are decided when the test says so.
class ObedientEvents final : public AccessEventLog {
public:
    Result<AuditTicket> append(TenantId, Timestamp, std::string) override { return take(); }
    AuditTicket take() {
        const std::scoped_lock lock(mutex_);
        decided_[++last_] = Durability::pending;
        wake_.notify_all();
        return last_;
    }
    bool can_record() override { return true; }
    Durability durability(AuditTicket ticket) const override {
        const std::scoped_lock lock(mutex_);
        return decided_.at(ticket);
    }
    Durability wait(AuditTicket ticket) override { return durability(ticket); }
    void add_batch_listener(std::function<void()> listener) override {
        listeners_.push_back(std::move(listener));
    }
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override { return read_chains({}); }
    Result<std::uint64_t> remove_oldest(TenantId, Timestamp) override { return 0; }
    std::uint64_t queue_depth() const override { return 0; }
    std::uint64_t durable_count() const override { return 0; }

    void decide(AuditTicket ticket, Durability durability) {
        {
            const std::scoped_lock lock(mutex_);
            decided_[ticket] = durability;
        }
        for (const auto& listener : listeners_) {
            listener();
        }
    }
    void wait_for_ticket(AuditTicket ticket) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return last_ >= ticket; });
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::map<AuditTicket, Durability> decided_;
    std::vector<std::function<void()>> listeners_;
    AuditTicket last_ = 0;
};

class ObedientApi final : public HttpHandler {
public:
    explicit ObedientApi(ObedientEvents& events) : events_(events) {}

    RoutePlan plan(HttpMethod, std::string_view path) const override {
        RoutePlan plan{1024, RequestClass::administration, "test"};
        plan.request_class = path == "/sign-in" ? RequestClass::sign_in : plan.request_class;
        plan.max_body = path == "/large" ? 1024 * 1024 : plan.max_body;
        return plan;
    }
    RunsOn runs_on(const HttpRequest& request) const override {
        return request.path == "/worker" || request.path == "/sign-in" ? RunsOn::worker
                                                                       : RunsOn::inline_thread;
    }
    HttpResponse serve(const HttpRequest& request) override {
        if (runs_on(request) == RunsOn::worker) {
            gate.wait();
        }
        ++served;
        HttpResponse response;
        response.content_type = "text/plain";
        response.body = request.path + " " + request.query + " " + request.body;
        if (request.path == "/ticket") {
            response.ticket = events_.take();
        } else if (request.path == "/source") {
            response.body = request.source_ip;
        } else if (request.path == "/megabytes") {
            response.body.assign(std::size_t{32} * 1024 * 1024, 'x');
        } else if (request.path == "/stream" || request.path == "/broken-stream") {
            response.stream = std::make_unique<ObedientStream>(
                pieces_made, streams, gate, std::stoi(request.query), request.path != "/stream");
        } else if (request.path == "/followed") {
            response.followed = std::make_unique<ObedientNews>(news, followers);
        } else if (request.path == "/fails") {
            response.status = 500;
        } else if (request.method == HttpMethod::other) {
            response.status = 405;
            response.headers.emplace_back("Allow", "GET");
        } else if (request.method == HttpMethod::remove) {
            response.status = 204;
            response.body.clear();
        }
        return response;
    }
    HttpResponse refuse(int status, std::string_view detail, const HttpRequest&) override {
        HttpResponse response;
        response.status = status;
        response.body = detail;
        return response;
    }

    Gate gate; // work on a worker waits here
    std::atomic<int> served{0};
    std::atomic<int> pieces_made{0};
    std::atomic<int> streams{0}; // that live
    std::atomic<int> news{0};    // pieces that there are for those who follow
    std::atomic<int> followers{0};

private:
    ObedientEvents& events_;
};

class TextLog final : public Log {
public:
    bool enabled(LogLevel) const override { return true; }
    void write(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields) override {
        const std::scoped_lock lock(mutex_);
        text_ += std::string(name_of(level)) + ": " + std::string(message);
        for (const LogField& field : fields) {
            text_ += " " + std::string(field.name) + "=";
            if (const auto* text = std::get_if<std::string_view>(&field.value)) {
                text_ += *text;
            } else {
                text_ += std::to_string(std::get<std::int64_t>(field.value));
            }
        }
        text_ += '\n';
    }
    std::string text() const {
        const std::scoped_lock lock(mutex_);
        return text_;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

/// A server with everything that it needs. Change `options` before start().
class TestServer {
public:
    TestServer() {
        options.listen = {"127.0.0.1", 0};
        options.metrics = ListenAddress{"127.0.0.1", 0};
        options.threads = 2;
        options.workers = 1;
        options.sign_in_workers = 1;
        options.version = "1.2.3";
    }
    ~TestServer() { api.gate.open(); }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    void start() {
        auto bound = HttpServer::bind(
            options, api, events, random, clock, log, [this] { return problem; },
            [] {
                return std::vector<Metric>{
                    {"claviger_tokens_issued_total", "Tokens", true, {{"grant", "password"}}, 3}};
            });
        ASSERT_TRUE(bound.has_value()) << bound.error().detail();
        server = *std::move(bound);
        server->run();
    }

    HttpServerOptions options;
    ObedientEvents events;
    ObedientApi api{events};
    SystemRandom random;
    SystemClock clock;
    TextLog log;
    std::string problem; // what /readyz says
    std::unique_ptr<HttpServer> server;
};

struct ReadAnswer {
    int status = 0;                             // 0: the connection ended instead
    std::map<std::string, std::string> headers; // names in lower case
    std::string body;
};

inline int new_client_socket() {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{20, 0};
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return made;
}

/// A connection of a client that sends what it is told.
class Client {
public:
    explicit Client(std::uint16_t port, int socket = new_client_socket()) : socket_(socket) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool connected() const { return connected_; }

    /// False once the server does not take any more.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    void end_sending() { ::shutdown(socket_, SHUT_WR); }

    ReadAnswer read_answer(bool has_body = true) {
        std::size_t end = 0;
        while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) {
                return {};
            }
        }
        ReadAnswer answer = parse_head(in_.substr(0, end + 2));
        in_.erase(0, end + 4);
        const std::string length = answer.headers["content-length"];
        const std::size_t size = has_body && !length.empty() ? std::stoul(length) : 0;
        while (in_.size() < size) {
            if (!receive()) {
                return {};
            }
        }
        answer.body = in_.substr(0, size);
        in_.erase(0, size);
        return answer;
    }
    /// The next chunk; nothing when there is none.
    std::optional<std::string> read_chunk() {
        std::size_t line = 0;
        while ((line = in_.find("\r\n")) == std::string::npos) {
            if (!receive()) {
                return std::nullopt;
            }
        }
        const std::size_t size = std::stoul(in_.substr(0, line), nullptr, 16);
        while (in_.size() < line + 2 + size + 2) {
            if (!receive()) {
                return std::nullopt;
            }
        }
        std::string chunk = in_.substr(line + 2, size);
        in_.erase(0, line + 2 + size + 2);
        return chunk;
    }
    /// The chunks that follow a head, joined; nothing when they have no end.
    std::optional<std::string> read_chunks() {
        std::string body;
        while (true) {
            const auto chunk = read_chunk();
            if (!chunk || chunk->empty()) {
                return chunk ? std::optional(body) : std::nullopt;
            }
            body += *chunk;
        }
    }
    ReadAnswer ask(std::string_view bytes) { return send(bytes) ? read_answer() : ReadAnswer(); }

    /// Everything until the server closes the connection.
    std::string read_to_end() {
        while (receive()) {
        }
        return std::exchange(in_, {});
    }
    /// The connection ended in a reset.
    bool was_reset() const { return was_reset_; }
    bool is_closed() { return read_to_end().empty() && has_ended_; }

private:
    static ReadAnswer parse_head(const std::string& head) {
        ReadAnswer answer;
        answer.status = std::stoi(head.substr(9, 3));
        std::size_t at = head.find("\r\n") + 2;
        while (at < head.size()) {
            const std::size_t end = head.find("\r\n", at);
            const std::size_t colon = head.find(": ", at);
            answer.headers[ascii_lower(head.substr(at, colon - at))] =
                head.substr(colon + 2, end - colon - 2);
            at = end + 2;
        }
        return answer;
    }
    bool receive() {
        char buffer[65536];
        const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
        has_ended_ = count == 0 || (count < 0 && errno != EAGAIN);
        was_reset_ = count < 0 && errno == ECONNRESET;
        in_.append(buffer, count > 0 ? static_cast<std::size_t>(count) : 0);
        return count > 0;
    }

    int socket_;
    bool connected_ = false;
    bool has_ended_ = false;
    bool was_reset_ = false;
    std::string in_;
};

inline std::string get(std::string_view path, std::string_view headers = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body,
                        std::string_view headers = "") {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(body);
}

} // namespace claviger::testing
