// SPDX-License-Identifier: Apache-2.0
// One thread's share of the server: its event loop, its connections and their deadlines, the
// answers that wait for the audit log. Nothing here is shared between threads but what says so.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <limits>
#include <list>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "server/metrics.h"
#include "server/server_environment.h"

namespace claviger {

/// What a thread must be able to do to a connection.
class TimedConnection {
public:
    virtual ~TimedConnection() = default;
    /// Its deadline has passed.
    virtual void expire() = 0;
    /// The server stops: an idle connection ends, another one after its answer.
    virtual void stop() = 0;

    std::int64_t deadline_milliseconds = 0;         // monotonic
    std::list<TimedConnection*>::iterator position; // in its thread's list
};

class IoThread {
public:
    explicit IoThread(ServerEnvironment& environment);

    boost::asio::io_context& context() { return context_; }
    ServerEnvironment& environment() { return environment_; }
    ThreadMetrics& metrics() { return metrics_; }
    const ThreadMetrics& metrics() const { return metrics_; }

    void add(TimedConnection& connection);
    void remove(TimedConnection& connection);

    /// The point in time to which a wait of this length lasts; never beyond the end of a stop.
    std::int64_t deadline_in(std::int64_t milliseconds) const {
        return std::min(now_milliseconds_ + milliseconds, stop_deadline_);
    }

    /// Calls `resume` on this thread once the ticket is decided.
    using Resume = std::move_only_function<void(Durability)>;
    void wait_for(AuditTicket ticket, Resume resume);
    /// From the audit writer's thread: some tickets may be decided now.
    void wake_waiting();

    /// Calls `resume` on this thread when what is ready in this round of the loop has run.
    void at_end_of_round(std::move_only_function<void()> resume);

    /// A connection that follows the directory; it counts from before it looks for news.
    class Follower {
    public:
        explicit Follower(IoThread& thread);
        ~Follower();
        Follower(const Follower&) = delete;
        Follower& operator=(const Follower&) = delete;
        /// False when there are too many.
        bool has_place() const { return has_place_; }

    private:
        IoThread& thread_;
        bool has_place_;
    };
    /// Calls `resume` on this thread when the directory has changed since the follower looked, or
    /// after a second.
    void wait_for_change(std::move_only_function<void()> resume);
    /// From any thread: the directory has changed.
    void wake_followers();

    /// The value of the Date header, made once a second.
    std::string_view date(Timestamp now);
    Uuid new_request_id() { return Uuid::make(environment_.random); }

    /// Begins to look after deadlines. Before the thread runs, or on it.
    void start_ticking();
    /// Tells all connections to stop. On the thread.
    void begin_stop();
    bool is_stopping() const { return stopping_; }

private:
    void tick();
    void give_memory_back();
    void prepare_descriptors();
    void resume_decided();
    void resume_followers();
    void end_round();
    void give_up_waiting();
    struct Waiting {
        AuditTicket ticket;
        Resume resume;
    };

    ServerEnvironment& environment_;
    ThreadMetrics metrics_;
    std::list<TimedConnection*> connections_;
    std::size_t most_connections_ = 0; // since memory was given back
    std::size_t prepared_descriptors_ = 0;
    boost::asio::io_context context_{1}; // its coroutines use what is above
    boost::asio::steady_timer timer_{context_};
    std::vector<Waiting> waiting_;
    std::vector<std::pair<Resume, Durability>> decided_; // empty but while they are resumed
    std::atomic<bool> wake_posted_{false};
    std::vector<std::move_only_function<void()>> waiting_followers_;
    std::atomic<std::size_t> followers_{0}; // waiting or not
    std::atomic<bool> follower_wake_posted_{false};
    std::int64_t followers_resumed_ = 0;                           // monotonic milliseconds
    std::vector<std::move_only_function<void()>> at_end_, ending_; // the latter while they run
    std::string date_;
    std::int64_t date_second_ = 0;
    std::int64_t now_milliseconds_ = 0; // as of the last tick: deadlines are coarse
    std::int64_t stop_deadline_ = std::numeric_limits<std::int64_t>::max();
    bool stopping_ = false;
};

} // namespace claviger
