// SPDX-License-Identifier: Apache-2.0
#include "store/commit_queue.h"

#include <utility>

namespace claviger {

Result<void> CommitQueue::submit(const Job& job) {
    Entry entry{job};
    std::unique_lock lock(mutex_);
    if (leading_ && leader_ == std::this_thread::get_id()) {
        return fail(ErrorCode::internal, "a write was asked for inside a write");
    }
    queue_.push_back(&entry);
    batch_over_.wait(lock, [&] { return entry.decided || !leading_; });
    if (!entry.decided) {
        lead(lock);
    }
    return std::move(entry.outcome);
}

void CommitQueue::lead(std::unique_lock<std::mutex>& lock) noexcept {
    leading_ = true;
    leader_ = std::this_thread::get_id();
    const std::vector<Entry*> batch = std::exchange(queue_, {});
    lock.unlock();
    run_(batch);
    lock.lock();
    for (Entry* entry : batch) {
        entry->decided = true;
    }
    leading_ = false;
    batch_over_.notify_all();
}

} // namespace claviger
