// SPDX-License-Identifier: Apache-2.0
// What all connections of a server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
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
    std::int64_t head_milliseconds = 10'000;   // to send a head, from its first byte
    std::int64_t body_milliseconds = 30'000;   // to send a body
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
    /// False when a limit is reached.
    bool enter(const std::string& source, const ServerLimits& limits);
    void leave(const std::string& source);

private:
    std::mutex mutex_;
    std::map<std::string, std::size_t> by_source_;
    std::size_t total_ = 0;
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
    std::function<std::string()> metrics_text; // set for the metrics listener only
};

} // namespace claviger
