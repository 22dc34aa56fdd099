// SPDX-License-Identifier: Apache-2.0
// Makes access tokens (RFC 9068) and id tokens (OpenID Connect Core 2). A token says who, never
// what is permitted: its size does not grow with rights, and a rule change acts on tokens that are
// out. What it was narrowed to by request does stand in it, and only takes away.
#pragma once

#include <string>
#include <string_view>

#include "auth/directory.h"
#include "auth/narrowing.h"
#include "auth/origin.h"
#include "auth/token_id.h"
#include "auth/token_settings.h"
#include "base/random.h"

namespace claviger {

/// Which of a tenant's two issuers a token names.
enum class IssuerKind : std::uint8_t { root, realm };

struct TokenSubject {
    PrincipalKind kind = PrincipalKind::service_account;
    Uuid id;
    std::uint32_t epoch = 0;
    std::string_view client_id;
    const User* user = nullptr; // when it is one; goes into id tokens only
    std::int64_t lifetime_seconds = 0;
    const Narrowing* narrowing = nullptr; // null: not narrowed
    std::optional<Uuid> session = {};     // of a user who signed in; the token ends with it
    std::uint32_t secret = 0;             // the number of the secret that it is got with; 0: none
};

struct IssuedToken {
    std::string text;
    std::string token_id; // the jti claim
};

Result<IssuedToken> issue_access_token(const TenantState& state, const TokenSettings& settings,
                                       IssuerKind issuer, const TokenSubject& subject,
                                       Timestamp now, Random& random);
Result<IssuedToken> issue_id_token(const TenantState& state, const TokenSettings& settings,
                                   IssuerKind issuer, const TokenSubject& subject, Timestamp now,
                                   Random& random);

} // namespace claviger
