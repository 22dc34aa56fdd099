// SPDX-License-Identifier: Apache-2.0
// Turns a bearer token into the principal that it stands for, or refuses it. The signature's result
// is remembered per thread; the state of the principal is looked up at every use, so that a
// revocation acts on the next request.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/directory.h"
#include "auth/origin.h"
#include "auth/refusal.h"
#include "auth/token_settings.h"
#include "base/clock.h"
#include "jose/crypto.h"
#include "jose/jwt.h"

namespace claviger {

/// Which tokens a resource takes. Only our own API takes id tokens as well.
enum class AcceptedTokens : std::uint8_t { access_tokens, access_and_id_tokens };

/// What a valid token says in few bytes, which can be copied as they are.
struct TokenFacts {
    TenantId tenant{};
    PrincipalKind kind = PrincipalKind::service_account;
    Uuid id;
    std::uint32_t epoch = 0;
    std::int64_t expires_at = 0; // seconds
    bool is_id_token = false;
    std::int64_t issued_at = 0;          // seconds
    Uuid random;                         // of its jti, by which it is revoked alone
    std::optional<Uuid> session = {};    // of a user's sign-in, to which it belongs
    std::optional<Uuid> access_key = {}; // of a user, by which it was got
    bool is_narrowed = false;
    std::uint32_t secret = 0; // the number of the one that it was got with; 0: none
};

/// What a valid token says, without its text.
struct VerifiedToken : TokenFacts {
    /// Shared with the cache and the requests that use it; there if `is_narrowed`.
    std::shared_ptr<const AccessLimit> narrowing = nullptr;
};

/// Whether it was ended before its time: alone, with its session, or with all of the tenant. What
/// ends all tokens of a principal or key is its epoch, which eligible() looks at.
bool is_revoked(const TenantState& state, const VerifiedToken& token);

/// Checks form, key, signature and claims of a token of this tenant at `now`; not the principal.
/// Tokens of the usual audience are good, and those that were asked for `resource` (RFC 8707), if
/// that is given. Pure: no cache, no clock. A refusal names a principal only when the signature is
/// good.
Judged<VerifiedToken> verify_jwt(const TenantState& state, const TokenSettings& settings,
                                 std::string_view token, AcceptedTokens accepted, Timestamp now,
                                 std::string_view resource = {});

class TokenVerifier {
public:
    /// `resource`: as in verify_jwt().
    TokenVerifier(const TokenSettings& settings, const Clock& clock, std::string resource = {});

    /// The principal of a valid token whose principal is eligible now. The refusal is for the log
    /// and for who may ask why, not for the caller.
    Judged<Principal> verify(const TenantState& state, std::string_view token,
                             AcceptedTokens accepted, std::string_view source_ip) const;

    /// Uses from an address that is not in the key's list, which only logs it.
    std::uint64_t outside_addresses() const {
        return outside_addresses_.load(std::memory_order_relaxed);
    }

private:
    Judged<VerifiedToken> find(const TenantState& state, std::string_view token,
                               AcceptedTokens accepted, Timestamp now) const;

    const TokenSettings& settings_;
    const Clock& clock_;
    std::string resource_;
    std::uint64_t serial_; // identifies this verifier in the per-thread caches
    mutable std::atomic<std::uint64_t> outside_addresses_{0};
};

} // namespace claviger
