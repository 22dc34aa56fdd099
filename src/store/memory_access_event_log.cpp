// SPDX-License-Identifier: Apache-2.0
#include "store/memory_access_event_log.h"

namespace claviger {

Result<AuditTicket> MemoryAccessEventLog::append(TenantId tenant, Timestamp at,
                                                 std::string payload) {
    AuditTicket ticket = 0;
    {
        const std::scoped_lock lock(mutex_);
        MemoryChain& chain = chains_[tenant];
        const AuditHead head = chain.head();
        const Digest hash = chain_(head.hash, payload);
        chain.entries.push_back({tenant, head.number + 1, at, std::move(payload), hash});
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

Result<std::unique_ptr<AuditReader>> MemoryAccessEventLog::open_audit_reader() {
    const std::scoped_lock lock(mutex_);
    return read_chains(chains_);
}

Result<std::uint64_t> MemoryAccessEventLog::remove_oldest(TenantId tenant, Timestamp before) {
    const std::scoped_lock lock(mutex_);
    return chains_[tenant].remove_older_than(before);
}

std::uint64_t MemoryAccessEventLog::durable_count() const {
    const std::scoped_lock lock(mutex_);
    return count_;
}

} // namespace claviger
