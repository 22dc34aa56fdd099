// SPDX-License-Identifier: Apache-2.0
// Two threads that keep a verifier up to date: one follows the feed of what has ended, the other
// loads the rules when they have changed and the keys when their time is over.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "verifier/ended_tokens.h"
#include "verifier/event_stream.h"
#include "verifier/key_store.h"
#include "verifier/rule_set.h"
#include "verifier/server_api.h"
#include "verifier/signed_document.h"

namespace claviger::offline {

/// Shared: who decides keeps the rules that it began with.
using RulesPointer = std::shared_ptr<const RuleSet>;

/// The rules in use, and since when newer ones are known to be there.
class RulesState {
public:
    RulesState(const Clock& clock, std::int64_t lease_milliseconds);

    RulesPointer current() const;
    /// Rules as of this number of the feed at least are wanted.
    void want(std::uint64_t number);
    /// Rules are wanted once more, whatever their number.
    void doubt();
    bool is_wanted() const;
    /// False when they are older than wanted.
    bool put(RuleSet rules);
    /// There are none, or newer ones have been wanted for longer than the lease.
    bool is_stale() const;

private:
    bool is_outdated() const;

    const Clock& clock_;
    std::int64_t lease_milliseconds_;
    mutable std::mutex mutex_; // of what follows
    RulesPointer current_;
    std::uint64_t wanted_ = 0;
    bool is_doubted_ = false;
    std::int64_t wanted_since_ = 0; // monotonic milliseconds
};

class Background {
public:
    struct Parts {
        ServerApi& api;
        KeyStore& keys;
        FeedState& feed;
        RulesState* rules = nullptr; // null: decisions are asked for
        DocumentReader reader;
        MakeTransport make_transport;
        std::function<void(std::string_view)> log; // may be empty
    };
    struct Counts {
        std::uint64_t connections = 0, snapshots = 0, rules_loaded = 0;
        std::string last_problem;
    };

    explicit Background(Parts parts);
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    /// Both threads end soon. The destructor waits for them.
    void stop();

    Counts counts() const;
    /// Whether `condition` held, at the latest after so many milliseconds. It is asked each time
    /// something was loaded.
    bool wait_for(std::int64_t milliseconds, const std::function<bool()>& condition) const;

private:
    void run(Result<void> (Background::*once)());
    Result<void> follow_once();
    Result<void> refresh_once();
    void doubt_rules();
    Result<void> load_snapshot();
    Result<void> load_rules();
    Result<void> take_entry(std::string_view text);
    void report(std::string_view problem);
    void tell();
    template <class Change>
    void count(Change change);

    Parts parts_;
    std::unique_ptr<Transport> feed_transport_, rules_transport_;
    bool needs_snapshot_ = true; // of the thread that follows

    mutable std::mutex mutex_; // of what follows
    mutable std::condition_variable changed_;
    Counts counts_;
    bool is_stopping_ = false;

    std::atomic<bool> was_heard_{false}; // since the last pause
    std::thread follower_, refresher_;
};

} // namespace claviger::offline
