// SPDX-License-Identifier: Apache-2.0
// What all connections of a server share, and the limits that they share.
#pragma once

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "api/http.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "server/trusted_proxies.h"
#include "server/worker_pool.h"
#include "store/access_event_log.h"

namespace claviger {

struct ServerLimits {
    std::size_t connections = 10'000;
    std::size_t connections_of_one_source = 4'000;
    std::size_t body_bytes = 64 * 1024 * 1024; // of all bodies that are still coming in
    std::size_t queued_work = 1'024;           // requests that wait for a worker
    std::size_t queued_sign_ins = 16;          // requests that wait for a password hash
    std::size_t followers = 1'024;             // connections that wait for news
    std::int64_t handshake_milliseconds = 10'000;
    std::int64_t head_milliseconds = 10'000;   // to send a head, from its first byte
    std::int64_t body_milliseconds = 10'000;   // to send a body, and one more for each 64 bytes
    std::int64_t idle_milliseconds = 60'000;   // between requests
    std::int64_t answer_milliseconds = 60'000; // to work on an answer
    std::int64_t write_milliseconds = 20'000;  // to take an answer
    std::int64_t stop_milliseconds = 10'000;   // to finish when the server stops
};

/// Empty: ready. Otherwise one line that says what is missing.
using ReadinessCheck = std::function<std::string()>;

/// Counts connections in all and by source address.
class ConnectionCounts {
public:
    explicit ConnectionCounts(const ServerLimits& limits) : limits_(limits) {}

    /// One counted connection, until it dies.
    class Place {
    public:
        Place(ConnectionCounts& counts, const boost::asio::ip::address& source)
            : counts_(&counts), source_(source) {}
        Place(Place&& other) noexcept
            : counts_(std::exchange(other.counts_, nullptr)), source_(std::move(other.source_)) {}
        Place& operator=(Place&&) = delete;
        ~Place();
        const boost::asio::ip::address& source() const { return source_; }

    private:
        ConnectionCounts* counts_;
        boost::asio::ip::address source_;
    };

    /// Nothing when a limit is reached.
    std::optional<Place> enter(const boost::asio::ip::address& source);

private:
    void leave(const boost::asio::ip::address& source);

    const ServerLimits& limits_;
    std::mutex mutex_;
    std::map<boost::asio::ip::address, std::size_t> by_source_;
    std::size_t total_ = 0;
};

/// A share of the memory for bodies, given back when it dies.
class BodyShare {
public:
    BodyShare(std::atomic<std::size_t>& used, std::size_t limit) : used_(used), limit_(limit) {}
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;
    ~BodyShare() { used_.fetch_sub(held_, std::memory_order_relaxed); }

    /// False when all bodies together would be above the limit.
    bool grow_to(std::size_t size) {
        const std::size_t more = size - held_;
        held_ = size;
        return used_.fetch_add(more, std::memory_order_relaxed) + more <= limit_;
    }

private:
    std::atomic<std::size_t>& used_;
    std::size_t limit_;
    std::size_t held_ = 0;
};

struct ServerEnvironment {
    HttpHandler& handler;
    AccessEventLog& access_events;
    Random& random;
    const Clock& clock;
    Log& log;
    ServerLimits limits;
    TrustedProxies proxies;
    ReadinessCheck readiness;
    WorkerPool workers;
    WorkerPool sign_ins; // password hashing waits here, and nothing else does
    ConnectionCounts counts;
    std::atomic<std::size_t> body_bytes;
    std::atomic<std::size_t> followers;
    std::function<std::string()> metrics_text;
};

} // namespace claviger
