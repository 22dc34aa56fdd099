// SPDX-License-Identifier: Apache-2.0
// An access event log for tests: in memory, and durable at once.
#pragma once

#include <mutex>
#include <vector>

#include "store/access_event_log.h"
#include "store/memory_audit.h"

namespace claviger {

class MemoryAccessEventLog final : public AccessEventLog {
public:
    explicit MemoryAccessEventLog(Chain chain) : chain_(std::move(chain)) {}

    Result<AuditTicket> append(TenantId tenant, Timestamp at, std::string payload) override;
    bool can_record() override { return true; }
    Durability durability(AuditTicket ticket) const override;
    Durability wait(AuditTicket ticket) override { return durability(ticket); }
    void add_batch_listener(std::function<void()> listener) override;
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override;
    Result<std::uint64_t> remove_oldest(TenantId tenant, Timestamp before) override;
    std::uint64_t queue_depth() const override { return 0; }
    std::uint64_t durable_count() const override;

private:
    Chain chain_;
    std::vector<std::function<void()>> listeners_;
    mutable std::mutex mutex_;
    MemoryChains chains_;
    std::uint64_t count_ = 0;
};

} // namespace claviger
