// SPDX-License-Identifier: Apache-2.0
#include "auth/leaked_secrets.h"

#include <algorithm>
#include <array>

#include "auth/credential_text.h"
#include "auth/refusal.h"

namespace claviger {
namespace {

constexpr std::string_view counted_as = "leaked-secrets";
constexpr std::int64_t milliseconds_between_searches = 1'000; // through all keys of a tenant
constexpr std::string_view reporter = "leak report";

bool is_whole(std::string_view secret) {
    return read_credential_text(prefix_of(SecretKind::service_account), secret) ||
           read_credential_text(prefix_of(SecretKind::access_key), secret);
}

LeakOutcome outcome_of(LeakPolicy policy) {
    static constexpr std::array<LeakOutcome, 3> outcomes{LeakOutcome::revoked, LeakOutcome::frozen,
                                                         LeakOutcome::recorded};
    return outcomes[static_cast<std::size_t>(policy)];
}

} // namespace

std::string_view name_of(LeakOutcome outcome) {
    static constexpr std::array<std::string_view, 5> names{"unknown", "retired", "revoked",
                                                           "frozen", "recorded"};
    return names[static_cast<std::size_t>(outcome)];
}

LeakedSecrets::LeakedSecrets(const TokenSettings& settings, const Pepper& pepper,
                             KeySecrets& secrets, const Clock& clock)
    : settings_(settings), pepper_(pepper), secrets_(secrets), clock_(clock),
      throttle_(clock, ThrottleLimits{}) {}

Result<LeakOutcome> LeakedSecrets::report(const TenantState& state, const LeakReport& report,
                                          const Origin& origin, std::int64_t& retry_after_seconds) {
    if (const auto wait = seconds_to_wait(report, origin)) {
        retry_after_seconds = *wait;
        return fail(ErrorCode::too_many_requests, "too many reports; try again later");
    }
    const auto stripped = strip_secret(report.client_secret);
    const std::string_view secret = stripped ? stripped->secret : report.client_secret;
    const auto found = is_whole(secret) ? find(state, report, secret) : std::nullopt;
    if (!found) {
        throttle_.record_failure(counted_as, origin.source_ip);
        return LeakOutcome::unknown;
    }
    count_.fetch_add(1, std::memory_order_relaxed);
    const bool is_live = found->secret.state == SecretState::live;
    const LeakPolicy policy = is_live ? settings_.leaked_secret_policy : LeakPolicy::record;
    AuditEvent event;
    event.tenant = state.tenant.id;
    event.at = clock_.now();
    event.action = audit_action::update;
    event.subject = reporter;
    event.origin = origin;
    event.http_status = origin.success;
    if (!report.found_at.empty()) {
        event.metadata.emplace_back("found_at", std::string(report.found_at));
    }
    TRY(secrets_.end_leaked(state.tenant.id, found->key, found->secret.id, policy,
                            std::move(event)));
    return is_live ? outcome_of(policy) : LeakOutcome::retired;
}

std::optional<std::int64_t> LeakedSecrets::seconds_to_wait(const LeakReport& report,
                                                           const Origin& origin) {
    if (const auto wait = throttle_.wait_seconds(counted_as, origin.source_ip)) {
        return wait;
    }
    if (report.client_id) {
        return std::nullopt;
    }
    const std::int64_t now = clock_.monotonic_milliseconds();
    std::int64_t next = next_search_.load(std::memory_order_relaxed);
    const bool is_free = next <= now && next_search_.compare_exchange_strong(
                                            next, now + milliseconds_between_searches);
    return is_free ? std::nullopt : std::optional(std::int64_t{1});
}

std::optional<LeakedSecrets::Found> LeakedSecrets::find(const TenantState& state,
                                                        const LeakReport& report,
                                                        std::string_view secret) const {
    const Timestamp now = clock_.now();
    std::optional<Found> found;
    const auto look_at_account = [&](const AccountEntry& account) {
        const Digest offered = pepper_.keyed_hash(account.name, secret);
        if (const auto match = found ? std::nullopt : account.secrets.find(offered, now)) {
            found = Found{{PrincipalKind::service_account, account.id}, *match};
        }
    };
    const auto look_at_key = [&](const AccessKeyEntry& key) {
        const Digest offered = pepper_.keyed_hash(key.client_id, secret);
        if (const auto match = found ? std::nullopt : find_secret(key.secrets, offered, now)) {
            found = Found{{PrincipalKind::user, key.id.value}, *match};
        }
    };
    if (report.client_id) {
        if (const AccountEntry* account = state.accounts.find_by_name(*report.client_id)) {
            look_at_account(*account);
        }
        if (const auto* key = state.access_keys.find_by_client_id(*report.client_id)) {
            look_at_key(*key);
        }
    } else if (secret.starts_with(prefix_of(SecretKind::access_key))) {
        state.access_keys.for_each(look_at_key);
    } else {
        state.accounts.for_each(look_at_account);
    }
    return found;
}

} // namespace claviger
