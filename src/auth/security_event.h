// SPDX-License-Identifier: Apache-2.0
// What verifiers elsewhere are told, as signed statements (security event tokens, RFC 8417). They
// are signed by a key of their own and have a type and an audience of their own: nobody who checks
// these takes one for an access token, or the other way round.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "auth/directory.h"
#include "auth/token_settings.h"

namespace claviger {

inline constexpr std::string_view revocation_audience = "urn:claviger:revocations";

/// One entry of the feed. The same text again is remembered per thread, since many read it.
Result<std::string> sign_revocation(const TenantState& state, const TokenSettings& settings,
                                    const Revocation& revocation, Timestamp now);

/// A part of the snapshot: entries that can still matter, in their order.
struct SnapshotPart {
    std::uint64_t number = 0; // from which the feed goes on; the same in all parts
    std::int64_t part = 1;
    bool is_last = true;
    std::span<const Revocation> revocations;
};
Result<std::string> sign_snapshot_part(const TenantState& state, const TokenSettings& settings,
                                       const SnapshotPart& part, Timestamp now);

} // namespace claviger
