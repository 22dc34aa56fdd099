// SPDX-License-Identifier: Apache-2.0
// Ends what is out: one token, one secret, all tokens of a key, of a principal, of a tenant. Every
// change and its audit entry are one transaction, and it is in force when it returns. What is ended
// already may be ended again. Who may do it is judged before.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "auth/caller.h"
#include "auth/refresh_token.h"
#include "auth/verify_token.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

/// A token by its name, as far as ending it needs.
struct NamedToken {
    std::string token_id; // its jti
    Timestamp expires_at;
    std::string owner; // for the audit log: a service account's name or an e-mail; may be unknown
};

class Revocations {
public:
    Revocations(Store& store, const RefreshTokens& refresh_tokens, const Clock& clock);

    /// `invalid_request` for what is no jti of ours, or outlives every token.
    Result<void> end_token(const Caller& caller, const NamedToken& token);

    /// The sign-in that this refresh token belongs to, in whatever generation; or nothing.
    const Session* find_session(const TenantState& state, std::string_view refresh_token) const;
    /// With all its tokens.
    Result<void> end_session(const Caller& caller, const Session& session);

    /// All tokens got with the access key. `not_found` for an unknown one.
    Result<void> end_access_key_tokens(const Caller& caller, const Uuid& id);
    /// All tokens of the service account. `not_found` for an unknown one.
    Result<void> end_account_tokens(const Caller& caller, const Uuid& id);
    /// One secret of an access key or service account, and the tokens got with it. `not_found` for
    /// an unknown one.
    Result<void> end_secret(const Caller& caller, const Uuid& key, const Uuid& secret);
    /// Every token of the tenant that was issued until now, refresh tokens as well.
    Result<void> end_all_tokens(const Caller& caller);

    /// Forgets what has expired, in batches. The number of entries.
    Result<std::size_t> remove_expired();

private:
    Store& store_;
    const RefreshTokens& refresh_tokens_;
    const Clock& clock_;
};

/// Whether a rule makes the caller System administrator of the tenant.
bool is_administrator(const Caller& caller);

} // namespace claviger
