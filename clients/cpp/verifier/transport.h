// SPDX-License-Identifier: Apache-2.0
// One HTTP request at a time and its answer, within limits of time and size. Follows no redirect,
// reads no .netrc, verifies certificates always, and can be stopped from another thread at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace claviger::offline {

struct Request {
    std::string url;
    std::string content_type = {}; // empty: a GET
    std::string body = {};
    std::string bearer = {};
    bool is_event_stream = false;
    std::string last_event_id = {};
    std::int64_t timeout_milliseconds = 10'000; // 0: only silence ends it
    std::int64_t silence_seconds = 40;          // without a byte
    std::size_t largest_answer = std::size_t{1} << 20;
};

struct Answer {
    int status = 0;
    std::string body;
    std::optional<std::int64_t> max_age; // of Cache-Control, in seconds
};

/// Takes what came of a stream that was answered with 200; false ends it.
using TakeBytes = std::function<bool(std::string_view)>;

class Transport {
public:
    virtual ~Transport() = default;
    /// Any answer is one; `unavailable` when there is none. With `take`, the body of a 200 goes
    /// there, and the answer comes when the stream has ended.
    virtual Result<Answer> send(const Request& request, const TakeBytes& take = {}) = 0;
    /// Ends what is under way and whatever is sent later. Any thread.
    virtual void stop() = 0;
};

using MakeTransport = std::function<std::unique_ptr<Transport>()>;

/// Transports for whoever needs one for a while; each keeps its connections open.
class TransportPool {
public:
    explicit TransportPool(MakeTransport make) : make_(std::move(make)) {}
    /// As a Transport's send(), with one that nobody uses meanwhile.
    Result<Answer> with_one(const std::function<Result<Answer>(Transport&)>& use);
    /// Ends what is under way and whatever is sent later. Any thread.
    void stop();

private:
    MakeTransport make_;
    std::mutex mutex_; // of what follows
    std::vector<std::unique_ptr<Transport>> all_;
    std::vector<Transport*> free_;
    bool is_stopped_ = false;
};

/// Of `ca_file` only, if it is given.
std::unique_ptr<Transport> make_curl_transport(const std::string& ca_file);

} // namespace claviger::offline
