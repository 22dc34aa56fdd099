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
    const auto too_many = [&](std::int64_t seconds) {
        retry_after_seconds = seconds;
        return fail(ErrorCode::too_many_requests, "too many reports; try again in " +
                                                      std::to_string(seconds) +
                                                      " s, with the clientId if it is known");
    };
    if (const auto wait = throttle_.wait_seconds(counted_as, origin.source_ip)) {
        return too_many(*wait);
    }
    const auto stripped = strip_secret(report.client_secret);
    const std::string_view secret = stripped ? stripped->secret : report.client_secret;
    std::optional<Found> found;
    if (is_whole(secret)) {
        found = report.client_id ? find(state, secret, report.client_id) : std::nullopt;
        if (!found && !take_turn()) {
            return too_many(1);
        }
        found = found ? found : find(state, secret, std::nullopt);
    }
    const bool is_live = found && found->secret.state == SecretState::live;
    // A trap stays one: who has found it is told, and the next one too.
    const bool ends = is_live && !found->is_honey;
    const LeakPolicy policy = ends ? settings_.leaked_secret_policy : LeakPolicy::record;
    if (!found || policy == LeakPolicy::record) { // what ends nothing could be said for ever
        throttle_.record_failure(counted_as, origin.source_ip);
    }
    if (!found) {
        return LeakOutcome::unknown;
    }
    count_.fetch_add(1, std::memory_order_relaxed);
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

bool LeakedSecrets::take_turn() {
    const std::int64_t now = clock_.monotonic_milliseconds();
    std::int64_t next = next_search_.load(std::memory_order_relaxed);
    return next <= now &&
           next_search_.compare_exchange_strong(next, now + milliseconds_between_searches);
}

std::optional<LeakedSecrets::Found>
LeakedSecrets::find(const TenantState& state, std::string_view secret,
                    std::optional<std::string_view> client_id) const {
    const Timestamp now = clock_.now();
    std::optional<Found> found;
    const auto is_honey = [](const LimitsPointer& limits) { return limits && limits->is_honey; };
    const auto look_at_account = [&](const AccountEntry& account) {
        const Digest offered = pepper_.keyed_hash(account.name, secret);
        if (const auto match = found ? std::nullopt : account.secrets.find(offered, now)) {
            found = Found{
                {PrincipalKind::service_account, account.id}, *match, is_honey(account.limits)};
        }
    };
    const auto look_at_key = [&](const AccessKeyEntry& key) {
        const Digest offered = pepper_.keyed_hash(key.client_id, secret);
        if (const auto match = found ? std::nullopt : find_secret(key.secrets, offered, now)) {
            found = Found{{PrincipalKind::user, key.id.value}, *match, is_honey(key.bounds)};
        }
    };
    if (client_id) {
        if (const AccountEntry* account = state.accounts.find_by_name(*client_id)) {
            look_at_account(*account);
        }
        if (const auto* key = state.access_keys.find_by_client_id(*client_id)) {
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
