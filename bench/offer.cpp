// SPDX-License-Identifier: Apache-2.0
// An open loop: requests are due at fixed times whether or not the earlier ones were answered, and
// a latency counts from the due time, so that a stall of the server is not left out.
#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <iostream>
#include <iterator>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "bench/bench.h"

namespace claviger::bench {
namespace {

struct Line {
    int socket = -1;
    double due = 0;     // of the request on its way
    std::string answer; // as far as it has come
};

int connect_to(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_connected =
        ::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    return is_connected ? made : -1;
}

/// The size of the whole answer at the front of `bytes`; 0 when it is not there yet.
std::size_t answer_size(std::string_view bytes) {
    constexpr std::string_view name = "Content-Length: ";
    const std::size_t head = bytes.find("\r\n\r\n");
    const std::size_t at = bytes.find(name);
    if (head == std::string_view::npos || at > head) {
        return 0;
    }
    const std::string length(bytes.substr(at + name.size(), 12));
    const std::size_t size = head + 4 + std::strtoul(length.c_str(), nullptr, 10);
    return bytes.size() < size ? 0 : size;
}

class OpenLoop {
public:
    OpenLoop(std::string request, double rate, double seconds)
        : request_(std::move(request)), rate_(rate),
          wanted_(static_cast<std::size_t>(rate * seconds)),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
    ~OpenLoop() {
        for (const Line& line : lines_) {
            ::close(line.socket);
        }
        ::close(epoll_);
    }
    OpenLoop(const OpenLoop&) = delete;
    OpenLoop& operator=(const OpenLoop&) = delete;

    bool open(std::uint16_t port, int connections) {
        lines_.resize(static_cast<std::size_t>(connections));
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            lines_[i].socket = connect_to(port);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, lines_[i].socket, &event) != 0) {
                return false;
            }
            idle_.push_back(i);
        }
        return true;
    }

    /// False when a connection ended or an answer was not 200.
    bool run() {
        const double begin = seconds_of(CLOCK_MONOTONIC);
        bool is_good = true;
        while (is_good && latencies_.size() < wanted_) {
            const double now = seconds_of(CLOCK_MONOTONIC);
            while (is_good && sent_ < wanted_ && !idle_.empty() && due_time(begin) <= now) {
                is_good = send_one(due_time(begin));
            }
            is_good = is_good && wait(sent_ < wanted_ ? due_time(begin) - now : 1.0);
        }
        return is_good;
    }

    std::vector<double>& latencies() { return latencies_; }

private:
    double due_time(double begin) const { return begin + static_cast<double>(sent_) / rate_; }

    bool send_one(double due) {
        Line& line = lines_[idle_.front()];
        idle_.pop_front();
        line.due = due;
        ++sent_;
        return ::send(line.socket, request_.data(), request_.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(request_.size());
    }

    /// Reads what comes within the time, in seconds; all lines busy means until one answers.
    bool wait(double most) {
        std::array<epoll_event, 64> events{};
        const double limit = idle_.empty() ? 1.0 : std::clamp(most, 0.0, 1.0);
        timespec time{};
        time.tv_sec = static_cast<time_t>(limit);
        time.tv_nsec = static_cast<long>((limit - static_cast<double>(time.tv_sec)) * 1e9);
        const int count =
            ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
        for (int i = 0; i < count; ++i) {
            if (!read_answer(events[static_cast<std::size_t>(i)].data.u64)) {
                return false;
            }
        }
        return count >= 0;
    }

    bool read_answer(std::size_t number) {
        Line& line = lines_[number];
        std::array<char, 16 * 1024> buffer{};
        const ssize_t count = ::recv(line.socket, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            return false;
        }
        line.answer.append(buffer.data(), static_cast<std::size_t>(count));
        if (answer_size(line.answer) == 0) {
            return true;
        }
        const bool is_good = line.answer.starts_with("HTTP/1.1 200 ");
        line.answer.clear();
        latencies_.push_back(seconds_of(CLOCK_MONOTONIC) - line.due);
        idle_.push_back(number);
        return is_good;
    }

    const std::string request_;
    const double rate_;
    const std::size_t wanted_;
    int epoll_;
    std::vector<Line> lines_;
    std::deque<std::size_t> idle_;
    std::size_t sent_ = 0;
    std::vector<double> latencies_;
};

} // namespace

Result<void> offer(std::uint16_t port, double rate, double seconds, int connections) {
    OpenLoop loop({std::istreambuf_iterator<char>(std::cin), {}}, rate, seconds);
    if (!loop.open(port, connections)) {
        return fail(ErrorCode::unavailable, "no connection");
    }
    if (!loop.run() || loop.latencies().empty()) {
        return fail(ErrorCode::unavailable, "an answer was not 200, or a connection ended");
    }
    std::ranges::sort(loop.latencies());
    const auto at = [&](double part) {
        const auto last = static_cast<double>(loop.latencies().size() - 1);
        return loop.latencies()[static_cast<std::size_t>(part * last)] * 1000;
    };
    std::printf("p50 %.3f p99 %.3f\n", at(0.5), at(0.99));
    return {};
}

} // namespace claviger::bench
