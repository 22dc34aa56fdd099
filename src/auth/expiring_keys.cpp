// SPDX-License-Identifier: Apache-2.0
#include "auth/expiring_keys.h"

#include <algorithm>

namespace claviger {
namespace {

constexpr std::int64_t seconds_between_looks = 60;

} // namespace

std::vector<ExpiringKey> find_expiring_keys(const TenantState& state, Timestamp now,
                                            std::int64_t within_seconds) {
    const Timestamp until = now.plus_seconds(within_seconds);
    const auto is_soon = [&](const LimitsPointer& limits) {
        return limits && limits->expires_at && *limits->expires_at > now &&
               *limits->expires_at <= until;
    };
    std::vector<ExpiringKey> keys;
    state.accounts.for_each([&](const AccountEntry& entry) {
        if (is_soon(entry.limits)) {
            keys.push_back({PrincipalKind::service_account, entry.id, entry.name, entry.name,
                            std::nullopt, *entry.limits->expires_at});
        }
    });
    state.access_keys.for_each([&](const AccessKeyEntry& key) {
        if (is_soon(key.bounds)) {
            keys.push_back({PrincipalKind::user, key.id.value, key.name, key.client_id, key.user,
                            *key.bounds->expires_at});
        }
    });
    std::ranges::sort(keys, [](const ExpiringKey& a, const ExpiringKey& b) {
        return std::tie(a.expires_at, a.id) < std::tie(b.expires_at, b.id);
    });
    return keys;
}

ExpiryWatch::ExpiryWatch(const Directory& directory, std::int64_t warning_seconds, Log& log)
    : directory_(directory), warning_seconds_(warning_seconds), log_(log) {}

void ExpiryWatch::run(Timestamp now) {
    if (now < next_look_) {
        return;
    }
    next_look_ = now.plus_seconds(seconds_between_looks);
    std::size_t count = 0;
    for (const TenantStatePointer& state : directory_.current()->tenants) {
        const auto keys = find_expiring_keys(*state, now, warning_seconds_);
        count += keys.size();
        for (const ExpiringKey& key : keys) {
            if (warned_.emplace(key.id, key.expires_at).second) {
                const std::string expires_at = format_rfc3339(key.expires_at);
                log_.write(LogLevel::warning, "a key expires soon",
                           {{"tenant", std::string_view(state->tenant.realm)},
                            {"client_id", std::string_view(key.client_id)},
                            {"expires_at", std::string_view(expires_at)}});
            }
        }
    }
    std::erase_if(warned_, [&](const auto& warned) { return warned.second <= now; });
    expiring_.store(count, std::memory_order_relaxed);
}

} // namespace claviger
