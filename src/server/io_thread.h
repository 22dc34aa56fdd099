// SPDX-License-Identifier: Apache-2.0
// One thread's share of the server: its event loop, its connections and their deadlines, the
// answers that wait for the audit log. Nothing here is shared between threads but what says so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "server/metrics.h"
#include "server/server_environment.h"

namespace claviger {

/// What a thread must be able to do to a connection.
class TimedConnection {
public:
    virtual ~TimedConnection() = default;
    /// Ends it at once.
    virtual void close() = 0;
    /// Nothing has been read of a next request.
    virtual bool is_idle() const = 0;

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
    bool has_connections() const { return !connections_.empty(); }

    /// Calls `resume` on this thread once the ticket is decided.
    using Resume = std::move_only_function<void(Durability)>;
    void wait_for(AuditTicket ticket, Resume resume);
    /// From the audit writer's thread: some tickets may be decided now.
    void wake_waiting();

    /// The value of the Date header, made once a second.
    std::string_view date();

    /// Begins to look after deadlines. Call on the thread.
    void start_ticking();
    /// Closes idle connections and makes the others close after their answer. On the thread.
    void begin_stop();
    bool is_stopping() const { return stopping_; }

private:
    void tick();
    void resume_decided();
    struct Waiting {
        AuditTicket ticket;
        Resume resume;
    };

    ServerEnvironment& environment_;
    boost::asio::io_context context_{1};
    boost::asio::steady_timer timer_{context_};
    ThreadMetrics metrics_;
    std::list<TimedConnection*> connections_;
    std::vector<Waiting> waiting_;
    std::atomic<bool> wake_posted_{false};
    std::string date_;
    std::int64_t date_second_ = 0;
    bool stopping_ = false;
};

} // namespace claviger
