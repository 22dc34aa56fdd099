// SPDX-License-Identifier: Apache-2.0
#include "store/ticket_book.h"

#include <algorithm>

namespace claviger {

void TicketBook::decide(std::uint64_t durable, std::uint64_t failed) {
    {
        const std::scoped_lock lock(mutex_);
        const AuditTicket first_failed = decided_.load(std::memory_order_relaxed) + durable + 1;
        const AuditTicket last = first_failed + failed - 1;
        if (failed > 0) {
            if (!failed_.empty() && failed_.back().last + 1 == first_failed) {
                failed_.back().last = last;
            } else {
                failed_.push_back({first_failed, last});
            }
            any_failed_.store(true, std::memory_order_relaxed);
        }
        durable_.fetch_add(durable, std::memory_order_relaxed);
        decided_.store(last, std::memory_order_release);
    }
    changed_.notify_all();
}

Durability TicketBook::durability(AuditTicket ticket) const {
    if (ticket > decided_.load(std::memory_order_acquire)) {
        return Durability::pending;
    }
    if (!any_failed_.load(std::memory_order_relaxed)) {
        return Durability::durable;
    }
    const std::scoped_lock lock(mutex_);
    const auto range = std::ranges::lower_bound(failed_, ticket, {}, &Range::last);
    const bool failed = range != failed_.end() && range->first <= ticket;
    return failed ? Durability::failed : Durability::durable;
}

Durability TicketBook::wait(AuditTicket ticket) const {
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return ticket <= decided_.load(std::memory_order_relaxed); });
    }
    return durability(ticket);
}

} // namespace claviger
