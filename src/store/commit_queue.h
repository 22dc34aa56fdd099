// SPDX-License-Identifier: Apache-2.0
// Group commit: callers queue their jobs; one of them becomes the leader and runs everything queued
// as one batch, while the next callers queue up behind it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/error.h"

namespace claviger {

class CommitQueue {
public:
    using Job = std::function<Result<void>()>;

    struct Entry {
        const Job& job;
        Result<void> outcome{};
        bool decided = false;
    };

    /// Runs the jobs of a batch in order and sets their outcomes. Batches never overlap.
    /// An exception that leaves it ends the process: what was committed would be unknown.
    using RunBatch = std::function<void(std::span<Entry* const>)>;

    explicit CommitQueue(RunBatch run) : run_(std::move(run)) {}

    /// Returns when the batch that holds `job` is over. A job must not submit.
    Result<void> submit(const Job& job);

private:
    void lead(std::unique_lock<std::mutex>& lock) noexcept;

    RunBatch run_;
    std::mutex mutex_;
    std::condition_variable batch_over_;
    std::vector<Entry*> queue_;
    bool leading_ = false;
    std::thread::id leader_;
};

} // namespace claviger
