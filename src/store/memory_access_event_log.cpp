// SPDX-License-Identifier: Apache-2.0
#include "store/memory_access_event_log.h"

namespace claviger {

Result<AuditTicket> MemoryAccessEventLog::append(TenantId tenant, Timestamp at,
                                                 std::string payload) {
    AuditTicket ticket = 0;
    {
        const std::scoped_lock lock(mutex_);
        auto& entries = entries_[tenant];
        const Digest previous = entries.empty() ? Digest{} : entries.back().hash;
        const Digest hash = chain_(previous, payload);
        entries.push_back({tenant, entries.size() + 1, at, std::move(payload), hash});
        ticket = ++count_;
    }
    for (const auto& listener : listeners_) {
        listener();
    }
    return ticket;
}

Durability MemoryAccessEventLog::durability(AuditTicket ticket) const {
    return ticket <= durable_count() ? Durability::durable : Durability::pending;
}

void MemoryAccessEventLog::add_batch_listener(std::function<void()> listener) {
    listeners_.push_back(std::move(listener));
}

Result<AuditHead> MemoryAccessEventLog::head(TenantId tenant) {
    const std::scoped_lock lock(mutex_);
    const auto& entries = entries_[tenant];
    return entries.empty() ? AuditHead{} : AuditHead{entries.back().number, entries.back().hash};
}

Result<void> MemoryAccessEventLog::for_each(TenantId tenant, std::uint64_t first_number,
                                            const Store::AuditVisitor& visit) {
    std::vector<AuditEntry> copy;
    {
        const std::scoped_lock lock(mutex_);
        copy = entries_[tenant];
    }
    for (const AuditEntry& entry : copy) {
        if (entry.number >= first_number) {
            TRY(visit(entry));
        }
    }
    return {};
}

std::uint64_t MemoryAccessEventLog::durable_count() const {
    const std::scoped_lock lock(mutex_);
    return count_;
}

} // namespace claviger
