// SPDX-License-Identifier: Apache-2.0
// Audit events and their two hash chains per tenant: change events, written in the change's own
// transaction, and access events (token grants, refused sign-ins), written by the access event log.
// Nothing secret may enter an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/origin.h"
#include "base/error.h"
#include "store/access_event_log.h"
#include "store/store.h"

namespace claviger {

namespace audit_action { // the wire names of the contract
inline constexpr std::string_view create = "create";
inline constexpr std::string_view update = "update";
inline constexpr std::string_view remove = "delete";
inline constexpr std::string_view sign_in = "sign-in";
inline constexpr std::string_view sign_out = "sign-out";
inline constexpr std::string_view reset_password = "reset-password";
/// Not of the contract: refreshed tokens are in the chain only (unlisted_mark).
inline constexpr std::string_view refresh = "refresh";
} // namespace audit_action

/// Its views must outlive it.
struct AuditEvent {
    TenantId tenant{};
    Timestamp at;
    std::string_view action;
    std::string_view subject; // a service account's name or a user's e-mail
    PrincipalKind subject_kind = PrincipalKind::service_account;
    Origin origin;
    std::string entity_type; // a resource type; empty when the event is about no object
    std::string entity_id;
    std::string entity_name;
    std::string cluster_id; // in which the object lies; empty: in none
    std::string cluster_name;
    bool succeeded = true;
    int http_status = 200;
    std::vector<std::pair<std::string_view, std::string>> metadata; // at most 10
};

/// The event as a JSON object, in the member names of the contract (runai audit log entry).
/// `more` is metadata as well.
using AuditMetadata = std::pair<std::string_view, std::string_view>;
std::string audit_payload(const AuditEvent& event, std::initializer_list<AuditMetadata> more = {});

/// The hash of the entry that follows `previous` with this payload.
Digest chain_hash(const Digest& previous, std::string_view payload);

/// Says in the event in which cluster `place` lies, if it lies in one.
Result<void> name_cluster(AuditEvent& event, Transaction& transaction, const ScopeId& place);

/// Appends a change event to the tenant's chain inside the change's own transaction.
Result<void> append_change_event(Transaction& transaction, const AuditEvent& event);

struct ChainReport {
    std::uint64_t entries = 0;
    std::uint64_t removed = 0;              // before the first entry, when they were too old
    std::optional<std::uint64_t> broken_at; // the first entry that does not follow
};
struct AuditReport {
    ChainReport changes;
    ChainReport accesses;
    bool intact() const { return !changes.broken_at && !accesses.broken_at; }
};

/// Recomputes both chains of a tenant from their first entries, or from what retention left as
/// their beginning.
Result<AuditReport> verify_audit(AuditSource& changes, AuditSource& accesses, TenantId tenant);

} // namespace claviger
