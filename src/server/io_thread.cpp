// SPDX-License-Identifier: Apache-2.0
#include "server/io_thread.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <ctime>

namespace claviger {

namespace {

constexpr std::chrono::milliseconds tick_interval{250};

} // namespace

bool ConnectionCounts::enter(const std::string& source, const ServerLimits& limits) {
    const std::scoped_lock lock(mutex_);
    std::size_t& of_source = by_source_[source];
    if (total_ >= limits.connections || of_source >= limits.connections_of_one_source) {
        return false;
    }
    ++of_source;
    ++total_;
    return true;
}

void ConnectionCounts::leave(const std::string& source) {
    const std::scoped_lock lock(mutex_);
    const auto at = by_source_.find(source);
    if (at != by_source_.end() && --at->second == 0) {
        by_source_.erase(at);
    }
    --total_;
}

IoThread::IoThread(ServerEnvironment& environment) : environment_(environment) {}

void IoThread::add(TimedConnection& connection) {
    connection.position = connections_.insert(connections_.end(), &connection);
    metrics_.connections.fetch_add(1, std::memory_order_relaxed);
}

void IoThread::remove(TimedConnection& connection) {
    connections_.erase(connection.position);
    metrics_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void IoThread::wait_for(AuditTicket ticket, Resume resume) {
    const Durability durability = environment_.access_events.durability(ticket);
    if (durability != Durability::pending) {
        boost::asio::post(
            context_, [resume = std::move(resume), durability]() mutable { resume(durability); });
        return;
    }
    waiting_.push_back({ticket, std::move(resume)});
    // The batch may have ended between the look and the entry.
    if (environment_.access_events.durability(ticket) != Durability::pending) {
        wake_waiting();
    }
}

void IoThread::wake_waiting() {
    if (!wake_posted_.exchange(true)) {
        boost::asio::post(context_, [this] {
            wake_posted_ = false;
            resume_decided();
        });
    }
}

void IoThread::resume_decided() {
    std::vector<std::pair<Resume, Durability>> decided;
    std::erase_if(waiting_, [&](Waiting& waiting) {
        const Durability durability = environment_.access_events.durability(waiting.ticket);
        if (durability == Durability::pending) {
            return false;
        }
        decided.emplace_back(std::move(waiting.resume), durability);
        return true;
    });
    for (auto& [resume, durability] : decided) {
        resume(durability);
    }
}

std::string_view IoThread::date() {
    const std::int64_t second = environment_.clock.now().seconds();
    if (second != date_second_) {
        date_second_ = second;
        std::tm parts{};
        const auto time = static_cast<std::time_t>(second);
        ::gmtime_r(&time, &parts);
        std::array<char, 64> text{};
        const std::size_t size =
            std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date_.assign(text.data(), size);
    }
    return date_;
}

void IoThread::start_ticking() {
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (!ec) {
            tick();
        }
        // While stopping, the loop shall end with the last connection.
        if (!stopping_ || has_connections()) {
            start_ticking();
        }
    });
}

void IoThread::tick() {
    const std::int64_t now = environment_.clock.monotonic_milliseconds();
    for (TimedConnection* connection : connections_) {
        if (connection->deadline_milliseconds < now) {
            connection->close();
        }
    }
}

void IoThread::begin_stop() {
    stopping_ = true;
    timer_.cancel(); // wakes the ticking, which then ends when nothing is left
    const std::int64_t latest =
        environment_.clock.monotonic_milliseconds() + environment_.limits.stop_milliseconds;
    for (TimedConnection* connection : connections_) {
        if (connection->is_idle()) {
            connection->close();
        } else {
            connection->deadline_milliseconds = std::min(connection->deadline_milliseconds, latest);
        }
    }
}

} // namespace claviger
