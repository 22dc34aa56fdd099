// SPDX-License-Identifier: Apache-2.0
// What this server tells verifiers elsewhere, signed by a key that signs nothing else. Each kind of
// statement has a type and an audience of its own: nobody who checks them takes one for another, or
// for an access token.
#pragma once

#include <cstdint>
#include <string_view>

#include "auth/directory.h"
#include "auth/token_settings.h"
#include "jose/jwt.h"

namespace claviger {

struct StatementHead {
    std::string_view type;      // the header's typ
    std::string_view audience;  // a URN
    std::string_view token_id;  // jti
    std::int64_t issued_at = 0; // seconds
};

/// A JWT with issuer, audience, time and id. No exp: it says what was so then. It must not outlive
/// `state`, whose key signs it; `unavailable` when none is active at `now`.
Result<JwtBuilder> begin_statement(const TenantState& state, const TokenSettings& settings,
                                   const StatementHead& head, Timestamp now);

} // namespace claviger
