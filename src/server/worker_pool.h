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
    /// Called with true on a worker. Whoever keeps a refused work may call it with false.
    using Work = std::move_only_function<void(bool accepted)>;

    WorkerPool(unsigned threads, std::size_t longest_queue);
    /// Finishes what is queued.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// False, without taking `work`, when the queue is full.
    bool submit(Work& work);

private:
    void run();
    std::size_t longest_queue_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Work> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace claviger
