// SPDX-License-Identifier: Apache-2.0
// Threads for work that blocks, behind a queue of fixed length.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace claviger {

class WorkerPool {
public:
    using Work = std::move_only_function<void()>;

    WorkerPool(unsigned threads, std::size_t longest_queue);
    ~WorkerPool() { finish(); }
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Takes a place for one work, which must be submitted then. False when all are taken.
    bool enter();
    /// Takes one place more than there are, for what must be brought to its end.
    void enter_again();
    void submit(Work work);
    /// Ends the threads after what is queued. Idempotent.
    void finish();

private:
    void run();
    const std::size_t places_; // at the threads and in the queue
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Work> queue_;
    std::size_t taken_ = 0;
    bool finishing_ = false;
    std::vector<std::thread> threads_;
};

} // namespace claviger
