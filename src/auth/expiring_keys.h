// SPDX-License-Identifier: Apache-2.0
// The service accounts and access keys whose limits let them expire soon, and the warning of each.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "auth/directory.h"
#include "auth/origin.h"
#include "base/log.h"

namespace claviger {

struct ExpiringKey {
    PrincipalKind kind = PrincipalKind::service_account;
    Uuid id; // of the service account or of the access key
    std::string name;
    std::string client_id;
    std::optional<Uuid> user = {}; // the owner of an access key
    Timestamp expires_at;
};

/// Those that are still good and expire within so many seconds, the soonest first. Walks over all.
std::vector<ExpiringKey> find_expiring_keys(const TenantState& state, Timestamp now,
                                            std::int64_t within_seconds);

/// Looks at all tenants once a minute. Each key is logged once in the life of the process.
class ExpiryWatch {
public:
    ExpiryWatch(const Directory& directory, std::int64_t warning_seconds, Log& log);
    /// Call on one thread.
    void run(Timestamp now);
    /// How many will expire within the time of warning, as of the last look.
    std::size_t expiring() const { return expiring_.load(std::memory_order_relaxed); }

private:
    const Directory& directory_;
    std::int64_t warning_seconds_;
    Log& log_;
    Timestamp next_look_{};
    std::set<std::pair<Uuid, Timestamp>> warned_; // a key with another expiry is another warning
    std::atomic<std::size_t> expiring_{0};
};

} // namespace claviger
