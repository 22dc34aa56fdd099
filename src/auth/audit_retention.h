// SPDX-License-Identifier: Apache-2.0
// Removes audit events that are older than they are to be kept, now and then and a little at a
// time.
#pragma once

#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/error.h"
#include "store/audit_source.h"

namespace claviger {

class AuditRetention {
public:
    /// `days` 0: events are kept for ever.
    AuditRetention(AuditSource& changes, AuditSource& accesses, const Clock& clock,
                   std::int64_t days);

    /// To be called often. Once an hour it begins to remove what is too old by then; each call
    /// works for about `most_milliseconds` and the next one goes on.
    Result<void> run(std::span<const TenantId> tenants, std::int64_t most_milliseconds);

private:
    /// False when the time was up first.
    Result<bool> remove(AuditSource& source, TenantId tenant, std::int64_t until_milliseconds);

    AuditSource& changes_;
    AuditSource& accesses_;
    const Clock& clock_;
    const std::int64_t days_;
    std::int64_t next_milliseconds_ = 0; // monotonic; not before then
};

} // namespace claviger
