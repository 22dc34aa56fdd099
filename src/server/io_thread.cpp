// SPDX-License-Identifier: Apache-2.0
#include "server/io_thread.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <ctime>
#include <malloc.h>

namespace claviger {

namespace {

constexpr std::chrono::milliseconds tick_interval{100};
constexpr std::int64_t longest_follower_wait = 1'000; // milliseconds
constexpr std::size_t many_connections = 256;
constexpr std::size_t descriptors_at_once = 64;

} // namespace

IoThread::IoThread(ServerEnvironment& environment)
    : environment_(environment), now_milliseconds_(environment.clock.monotonic_milliseconds()) {}

void IoThread::add(TimedConnection& connection) {
    if (connections_.size() == prepared_descriptors_) {
        prepare_descriptors();
    }
    connection.position = connections_.insert(connections_.end(), &connection);
    most_connections_ = std::max(most_connections_, connections_.size());
    metrics_.connections.fetch_add(1, std::memory_order_relaxed);
}

void IoThread::remove(TimedConnection& connection) {
    connections_.erase(connection.position);
    metrics_.connections.fetch_sub(1, std::memory_order_relaxed);
    if (stopping_ && connections_.empty()) {
        timer_.cancel(); // the loop ends
    }
}

void IoThread::wait_for(AuditTicket ticket, Resume resume) {
    waiting_.push_back({ticket, std::move(resume)});
    // The batch may have ended before the entry, and then nobody wakes it.
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
    std::erase_if(waiting_, [&](Waiting& waiting) {
        const Durability durability = environment_.access_events.durability(waiting.ticket);
        if (durability == Durability::pending) {
            return false;
        }
        decided_.emplace_back(std::move(waiting.resume), durability);
        return true;
    });
    for (auto& [resume, durability] : decided_) {
        resume(durability); // what this makes wait waits for another call
    }
    decided_.clear();
}

IoThread::Follower::Follower(IoThread& thread) : thread_(thread) {
    ServerEnvironment& environment = thread.environment_;
    has_place_ = environment.followers.fetch_add(1) < environment.limits.followers;
    thread.followers_.fetch_add(1);
    thread.metrics_.followers.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst); // counted first, then it looks
}

IoThread::Follower::~Follower() {
    thread_.environment_.followers.fetch_sub(1);
    thread_.followers_.fetch_sub(1);
    thread_.metrics_.followers.fetch_sub(1, std::memory_order_relaxed);
}

void IoThread::wait_for_change(std::move_only_function<void()> resume) {
    // A change after the follower's look has posted, or will post, a wake-up that runs after this.
    waiting_followers_.push_back(std::move(resume));
}

void IoThread::wake_followers() {
    std::atomic_thread_fence(std::memory_order_seq_cst); // the change first, then who follows
    if (followers_.load() != 0 && !follower_wake_posted_.exchange(true)) {
        boost::asio::post(context_, [this] {
            follower_wake_posted_ = false;
            resume_followers();
        });
    }
}

void IoThread::resume_followers() {
    followers_resumed_ = environment_.clock.monotonic_milliseconds();
    auto resumed = std::exchange(waiting_followers_, {});
    for (auto& resume : resumed) {
        resume(); // what waits again waits for another call
    }
}

void IoThread::at_end_of_round(std::move_only_function<void()> resume) {
    if (at_end_.empty()) {
        boost::asio::post(context_, [this] { end_round(); });
    }
    at_end_.push_back(std::move(resume));
}

void IoThread::end_round() {
    ending_.swap(at_end_); // both keep their memory
    for (auto& resume : ending_) {
        resume();
    }
    ending_.clear();
}

void IoThread::give_up_waiting() {
    std::vector<Waiting> undecided = std::exchange(waiting_, {});
    for (Waiting& waiting : undecided) {
        waiting.resume(Durability::failed);
    }
}

std::string_view IoThread::date(Timestamp now) {
    const std::int64_t second = now.seconds();
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
    now_milliseconds_ = environment_.clock.monotonic_milliseconds();
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (!ec) {
            tick();
        }
        // While stopping, the loop shall end with the last connection.
        if (!stopping_ || !connections_.empty()) {
            start_ticking();
        }
    });
}

void IoThread::tick() {
    now_milliseconds_ = environment_.clock.monotonic_milliseconds();
    for (TimedConnection* connection : connections_) {
        if (connection->deadline_milliseconds < now_milliseconds_) {
            connection->expire();
        }
    }
    if (now_milliseconds_ - followers_resumed_ >= longest_follower_wait) {
        resume_followers();
    }
    if (now_milliseconds_ > stop_deadline_) {
        give_up_waiting();
    }
    give_memory_back();
}

/// Asio keeps an object for every descriptor that was open at one time. Made one by one, these lie
/// between the connections' memory, and a flood's memory could never be given back.
void IoThread::prepare_descriptors() {
    std::vector<boost::asio::ip::tcp::socket> sockets;
    sockets.reserve(descriptors_at_once);
    for (std::size_t i = 0; i < descriptors_at_once; ++i) {
        boost::system::error_code ignored; // short of descriptors: nothing is lost but order
        sockets.emplace_back(context_);
        sockets.back().open(boost::asio::ip::tcp::v4(), ignored);
    }
    prepared_descriptors_ += descriptors_at_once;
}

/// The allocator keeps what a flood of connections took; when the flood is over, a worker returns
/// it to the system.
void IoThread::give_memory_back() {
    if (most_connections_ < many_connections || connections_.size() > most_connections_ / 4) {
        return;
    }
    if (environment_.workers.enter()) {
        most_connections_ = connections_.size();
        environment_.workers.submit([] { ::malloc_trim(0); });
    }
}

void IoThread::begin_stop() {
    stopping_ = true;
    timer_.cancel(); // wakes the ticking, which ends when nothing is left
    stop_deadline_ =
        environment_.clock.monotonic_milliseconds() + environment_.limits.stop_milliseconds;
    for (TimedConnection* connection : connections_) {
        connection->deadline_milliseconds =
            std::min(connection->deadline_milliseconds, stop_deadline_);
        connection->stop();
    }
    resume_followers(); // to end
}

} // namespace claviger
