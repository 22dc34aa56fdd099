// SPDX-License-Identifier: Apache-2.0
// The log of access events (token grants, refused sign-ins): one writer thread commits whatever is
// queued with one sync, in a file of its own, so that traffic never grows the main database.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "model/model.h"
#include "store/audit_source.h"

namespace claviger {

/// Names an appended event until it is durable. Tickets grow by one; 0 is none.
using AuditTicket = std::uint64_t;

enum class Durability { pending, durable, failed };

class AccessEventLog : public AuditSource {
public:
    /// Gives the hash that follows `previous` when `payload` is appended (auth defines it).
    using Chain = std::function<Digest(const Digest& previous, std::string_view payload)>;

    /// Queues an event and returns at once; `unavailable` when the queue or the spool is full.
    /// Safe from any thread.
    virtual Result<AuditTicket> append(TenantId tenant, Timestamp at, std::string payload) = 0;

    /// False while events are refused because they can be kept nowhere. Never blocks; asking makes
    /// the log try again.
    virtual bool can_record() = 0;

    virtual Durability durability(AuditTicket ticket) const = 0;

    /// Blocks until the ticket is decided. For worker threads and tests.
    virtual Durability wait(AuditTicket ticket) = 0;

    /// Called by the writer thread after each batch. Add before use; keep it short.
    virtual void add_batch_listener(std::function<void()> listener) = 0;

    /// Events queued and not yet durable; events ever made durable.
    virtual std::uint64_t queue_depth() const = 0;
    virtual std::uint64_t durable_count() const = 0;
};

} // namespace claviger
