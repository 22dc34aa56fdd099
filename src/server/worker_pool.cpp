// SPDX-License-Identifier: Apache-2.0
#include "server/worker_pool.h"

namespace claviger {

WorkerPool::WorkerPool(unsigned threads, std::size_t longest_queue)
    : longest_queue_(longest_queue) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { run(); });
    }
}

WorkerPool::~WorkerPool() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

bool WorkerPool::submit(Work& work) {
    {
        const std::scoped_lock lock(mutex_);
        if (queue_.size() >= longest_queue_ || stopping_) {
            return false;
        }
        queue_.push_back(std::move(work));
    }
    wake_.notify_one();
    return true;
}

void WorkerPool::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) {
            return;
        }
        Work work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        work(true);
        work = nullptr;
        lock.lock();
    }
}

} // namespace claviger
