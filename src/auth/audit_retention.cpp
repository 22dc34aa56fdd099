// SPDX-License-Identifier: Apache-2.0
#include "auth/audit_retention.h"

namespace claviger {
namespace {

constexpr std::int64_t pause_milliseconds = 3'600'000;
constexpr std::int64_t seconds_in_day = 86'400;

} // namespace

AuditRetention::AuditRetention(AuditSource& changes, AuditSource& accesses, const Clock& clock,
                               std::int64_t days)
    : changes_(changes), accesses_(accesses), clock_(clock), days_(days),
      next_milliseconds_(clock.monotonic_milliseconds()) {}

Result<void> AuditRetention::run(std::span<const TenantId> tenants,
                                 std::int64_t most_milliseconds) {
    const std::int64_t began = clock_.monotonic_milliseconds();
    if (days_ == 0 || began < next_milliseconds_) {
        return {};
    }
    for (const TenantId tenant : tenants) {
        for (AuditSource* source : {&changes_, &accesses_}) {
            const bool is_done = TRY(remove(*source, tenant, began + most_milliseconds));
            if (!is_done) {
                return {};
            }
        }
    }
    next_milliseconds_ = began + pause_milliseconds;
    return {};
}

Result<bool> AuditRetention::remove(AuditSource& source, TenantId tenant,
                                    std::int64_t until_milliseconds) {
    const Timestamp before = clock_.now().plus_seconds(-days_ * seconds_in_day);
    for (std::uint64_t removed = 1; removed > 0;) {
        removed = TRY(source.remove_oldest(tenant, before));
        if (removed > 0 && clock_.monotonic_milliseconds() >= until_milliseconds) {
            return false;
        }
    }
    return true;
}

} // namespace claviger
