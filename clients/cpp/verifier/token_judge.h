// SPDX-License-Identifier: Apache-2.0
// Judges access tokens as the server does (src/auth/verify_token.h), by what is known here. No
// connection is made for it, but for a key that nobody has seen yet.
#pragma once

#include <claviger/verifier.h>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/limit.h"
#include "auth/token_id.h"
#include "jose/jwt.h"
#include "verifier/ended_tokens.h"
#include "verifier/key_store.h"
#include "verifier/rule_set.h"

namespace claviger {

struct verified_token::parts {
    std::string issuer, subject, client_id, token_id, session, claims;
    std::vector<std::string> audience;
    std::string kid;
    std::int64_t issued_at = 0, expires_at = 0, tenant = 0;
    std::uint32_t epoch = 0, secret = 0;
    std::string text;                          // the token itself, for questions to the server
    std::optional<AccessLimit> narrowing = {}; // of its claims
    std::vector<std::string> more = {};        // permissions of `scope` on types of others

    offline::TokenNames names() const {
        return {token_id, subject, client_id, session, epoch, secret, issued_at};
    }
};

namespace offline {

struct TokenRefusal {
    refusal_reason reason = refusal_reason::missing;
    std::string detail = {};
};
template <class T>
using Judged = std::expected<T, TokenRefusal>;
using TokenPointer = std::shared_ptr<const verified_token::parts>; // as verified_token keeps it

/// What tokens must say.
struct Expectations {
    std::vector<std::string> issuers; // any of them
    std::string audience;
};

/// Form, key, signature and claims of a token at `now_seconds`.
Judged<TokenPointer> judge_token(std::string_view text, const Expectations& expected,
                                 KeyStore& keys, std::int64_t now_seconds);

/// Whether it is still good: not expired, its key not burned, not ended.
Judged<void> judge_standing(const verified_token::parts& token, const KeyStore& keys,
                            const FeedState& feed, std::int64_t now_seconds);

/// Whether the tenant has its subject, as far as that is known.
Judged<void> judge_subject(const verified_token::parts& token, const RuleSet& rules);
/// Whether the limits of the key that it was got with let it be used now.
Judged<void> judge_key(const verified_token::parts& token, const RuleSet& rules,
                       std::int64_t now_seconds);
/// Likewise, from there.
Judged<void> judge_address(const verified_token::parts& token, const RuleSet& rules,
                           std::string_view source_ip);

/// What to answer.
refusal refusal_of(TokenRefusal refused);

} // namespace offline
} // namespace claviger
