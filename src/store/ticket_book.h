// SPDX-License-Identifier: Apache-2.0
// Which tickets are decided, and how. Tickets are decided in order; asking costs one atomic load as
// long as nothing has ever failed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "store/access_event_log.h"

namespace claviger {

class TicketBook {
public:
    /// For the one writer: the next `durable` tickets are durable, the `failed` after them are not.
    void decide(std::uint64_t durable, std::uint64_t failed);

    Durability durability(AuditTicket ticket) const;
    Durability wait(AuditTicket ticket) const;

    std::uint64_t decided() const { return decided_.load(std::memory_order_acquire); }
    std::uint64_t durable_count() const { return durable_.load(std::memory_order_relaxed); }

private:
    struct Range {
        AuditTicket first = 0;
        AuditTicket last = 0;
    };

    std::atomic<AuditTicket> decided_{0}; // the last decided ticket
    std::atomic<std::uint64_t> durable_{0};
    std::atomic<bool> any_failed_{false};
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<Range> failed_; // in order; neighbours are joined
};

} // namespace claviger
