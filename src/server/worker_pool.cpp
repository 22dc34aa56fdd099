// SPDX-License-Identifier: Apache-2.0
#include "server/worker_pool.h"

namespace claviger {

WorkerPool::WorkerPool(unsigned threads, std::size_t longest_queue)
    : places_(threads + longest_queue) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { run(); });
    }
}

bool WorkerPool::enter() {
    const std::scoped_lock lock(mutex_);
    if (taken_ >= places_ || finishing_) {
        return false;
    }
    ++taken_;
    return true;
}

void WorkerPool::enter_again() {
    const std::scoped_lock lock(mutex_);
    ++taken_;
}

void WorkerPool::submit(Work work) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.push_back(std::move(work));
    }
    wake_.notify_one();
}

void WorkerPool::finish() {
    {
        const std::scoped_lock lock(mutex_);
        finishing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

void WorkerPool::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [&] { return finishing_ || !queue_.empty(); });
        if (queue_.empty()) {
            return;
        }
        Work work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
        --taken_;
    }
}

} // namespace claviger
