// SPDX-License-Identifier: Apache-2.0
// The one place that turns changes into entries of the feed for verifiers. It looks at the rows
// that a change puts, inside the change's own transaction: no service can forget it, and an entry
// is durable if and only if the change is.
#pragma once

#include <cstdint>
#include <span>

#include "auth/directory.h"
#include "store/store.h"

namespace claviger {

/// No token lives longer, whatever the operator has set (the option token-lifetime).
inline constexpr std::int64_t longest_token_lifetime_seconds = 86'400;

/// Appends what `rows` revoke, compared with the state before.
Result<void> record_revocations(Transaction& transaction, const DirectoryState& before,
                                std::span<const Row> rows);

/// Appends one entry, with the next number of its tenant.
Result<void> append_revocation(Transaction& transaction, Revocation revocation);

/// Ends a sign-in: its refresh token, and by an entry all access tokens that were got with it.
Result<void> revoke_session(Transaction& transaction, Session session, Timestamp now);

} // namespace claviger
