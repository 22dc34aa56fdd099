// SPDX-License-Identifier: Apache-2.0
// What the whole program counts. docs/guides/metrics.md describes each.
#include <algorithm>
#include <iterator>

#include "server/application.h"

namespace claviger {

std::vector<Metric> Application::key_metrics() const {
    return {
        {"claviger_key_address_outside_total",
         "Uses of a key from an address that is not in its list, which only logs it",
         true,
         {},
         static_cast<double>(grants_->counts().outside_addresses + verifier_->outside_addresses())},
        {"claviger_retired_secrets_total",
         "Retired client secrets that came back, and were refused",
         true,
         {},
         static_cast<double>(grants_->counts().retired_secrets)},
        {"claviger_honey_key_uses_total",
         "Uses of honey keys with the right secret",
         true,
         {},
         static_cast<double>(grants_->counts().honey_keys)},
        {"claviger_leaked_secrets_total",
         "Reports of client secrets that exist or existed",
         true,
         {},
         static_cast<double>(leaked_secrets_->count())},
        {"claviger_keys_expiring",
         "Keys that expire within the time of warning",
         false,
         {},
         static_cast<double>(expiry_watch_->expiring())},
    };
}

std::vector<Metric> Application::usage_metrics() const {
    return {
        {"claviger_usage_pending",
         "Rows of usage that are not yet written",
         false,
         {},
         static_cast<double>(usage_->pending_count())},
        {"claviger_usage_dropped_total",
         "Uses that were not recorded, because the store did not take what was pending",
         true,
         {},
         static_cast<double>(usage_->dropped())},
    };
}

std::vector<Metric> Application::decision_metrics() const {
    const Dispatcher::Counts decisions = dispatcher_->counts();
    const auto number = [](auto count) { return static_cast<double>(count); };
    return {
        {"claviger_forwarded_requests_total",
         "Requests that gateways asked about",
         true,
         {{"verdict", "passed"}},
         number(decisions.forwarded.passed)},
        {"claviger_forwarded_requests_total",
         "Requests that gateways asked about",
         true,
         {{"verdict", "refused"}},
         number(decisions.forwarded.refused)},
        {"claviger_decisions_total",
         "Decisions on the API's own routes",
         true,
         {{"effect", "allow"}},
         number(decisions.allowed)},
        {"claviger_decisions_total",
         "Decisions on the API's own routes",
         true,
         {{"effect", "deny"}},
         number(decisions.denied)},
    };
}

std::vector<Metric> Application::metrics() const {
    const Grants::Counts grants = grants_->counts();
    const auto number = [](auto count) { return static_cast<double>(count); };
    std::vector<Metric> all{
        {"claviger_tokens_issued_total",
         "Tokens issued",
         true,
         {{"grant", "client_credentials"}},
         number(grants.client_credentials)},
        {"claviger_tokens_issued_total",
         "Tokens issued",
         true,
         {{"grant", "password"}},
         number(grants.password)},
        {"claviger_tokens_issued_total",
         "Tokens issued",
         true,
         {{"grant", "refresh_token"}},
         number(grants.refresh)},
        {"claviger_token_failures_total",
         "Refused sign-ins",
         true,
         {{"reason", "refused"}},
         number(grants.refused)},
        {"claviger_token_failures_total",
         "Refused sign-ins",
         true,
         {{"reason", "throttled"}},
         number(grants.throttled)},
        {"claviger_audit_queue_depth",
         "Access events not yet durable",
         false,
         {},
         number(access_events_->queue_depth())},
        {"claviger_audit_durable_total",
         "Access events made durable",
         true,
         {},
         number(access_events_->durable_count())},
    };
    add_revocations(all);
    std::ranges::move(decision_metrics(), std::back_inserter(all));
    std::ranges::move(key_metrics(), std::back_inserter(all));
    std::ranges::move(usage_metrics(), std::back_inserter(all));
    return all;
}

void Application::add_revocations(std::vector<Metric>& metrics) const {
    double ended = 0;
    double last_number = 0;
    for (const TenantStatePointer& state : memory_->current()->tenants) {
        ended += static_cast<double>(state->revocations.ended_count());
        last_number += static_cast<double>(state->revocations.last_number());
    }
    metrics.push_back({"claviger_revoked_tokens",
                       "Tokens and sessions that were ended and have not expired",
                       false,
                       {},
                       ended});
    metrics.push_back({"claviger_revocations_total",
                       "Entries of the feed, by the last number of each tenant",
                       true,
                       {},
                       last_number});
}

} // namespace claviger
