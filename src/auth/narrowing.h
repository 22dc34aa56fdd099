// SPDX-License-Identifier: Apache-2.0
// What a token request asks for less of: permissions, a scope of the tree, an audience, a lifetime.
// A narrowing only takes away: what it names and the caller does not hold stays denied. It stands
// in the token's claims, and for the tokens of a session in the session's row.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/limit.h"
#include "auth/token_settings.h"
#include "base/error.h"

namespace claviger {

/// As a request spells it; empty where nothing was.
struct NarrowingRequest {
    /// Words; those with a colon are permissions, others say nothing here.
    std::string_view scope = {};
    std::string_view resource = {};
    std::string_view scope_type = {}, scope_id = {}; // both or neither
    std::optional<std::int64_t> lifetime_seconds = {};
};

struct Narrowing {
    std::optional<PermissionSet> permissions = {};
    std::optional<ScopeId> scope = {};
    std::string audience = {};                         // empty: the usual one
    std::optional<std::int64_t> lifetime_seconds = {}; // at most that of every token

    /// Whether a token of it is good for less than others are while it lives.
    bool binds() const { return permissions || scope || !audience.empty(); }
};

/// `invalid_scope` for an unknown permission, `invalid_target` for a resource that is no audience,
/// `invalid_request` for what has no form. Whether the scope of the tree exists is not asked here:
/// nobody has shown yet who they are.
Result<Narrowing> read_narrowing(TenantId tenant, const TokenSettings& settings,
                                 const NarrowingRequest& request);

/// What `wanted` leaves of `granted`, for a refresh (RFC 6749 6); `invalid_scope` or
/// `invalid_target` when it asks for something else.
Result<Narrowing> narrow_further(const AccessSnapshot& access, const Narrowing& granted,
                                 const Narrowing& wanted);

/// An absolute URI without a fragment (RFC 8707 2), printable and without a comma.
bool is_absolute_uri(std::string_view text);

/// The `scope` and `within` claims.
std::string scope_claim(const PermissionSet& permissions);
/// Nothing for a claim that is not ours. Permissions that are no longer known are left out.
std::optional<AccessLimit> limit_of_claims(TenantId tenant, const std::optional<std::string>& scope,
                                           const std::optional<std::string>& within);

/// As a session's row keeps it, and back; nothing for a text that is not ours.
std::string text_of(const Narrowing& narrowing);
std::optional<Narrowing> parse_narrowing(TenantId tenant, std::string_view text);

} // namespace claviger
