// SPDX-License-Identifier: Apache-2.0
// An access event log for tests: in memory, and durable at once.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "store/access_event_log.h"

namespace claviger {

class MemoryAccessEventLog final : public AccessEventLog {
public:
    explicit MemoryAccessEventLog(Chain chain) : chain_(std::move(chain)) {}

    Result<AuditTicket> append(TenantId tenant, Timestamp at, std::string payload) override;
    bool can_record() override { return true; }
    Durability durability(AuditTicket ticket) const override;
    Durability wait(AuditTicket ticket) override { return durability(ticket); }
    void add_batch_listener(std::function<void()> listener) override;
    Result<AuditHead> head(TenantId tenant) override;
    Result<void> for_each(TenantId tenant, std::uint64_t first_number,
                          const Store::AuditVisitor& visit) override;
    std::uint64_t queue_depth() const override { return 0; }
    std::uint64_t durable_count() const override;

private:
    Chain chain_;
    std::vector<std::function<void()>> listeners_;
    mutable std::mutex mutex_;
    std::map<TenantId, std::vector<AuditEntry>> entries_;
    std::uint64_t count_ = 0;
};

} // namespace claviger
