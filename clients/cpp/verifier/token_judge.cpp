// SPDX-License-Identifier: Apache-2.0
#include "verifier/token_judge.h"

#include <algorithm>

#include "auth/key_life.h"
#include "auth/narrowing.h"
#include "base/uuid.h"

namespace claviger::offline {
namespace {

std::unexpected<TokenRefusal> refuse(refusal_reason reason, std::string detail) {
    return std::unexpected(TokenRefusal{reason, std::move(detail)});
}

/// Whether the key is one for access tokens, and the signature its own.
Judged<void> check_signature(const ParsedJwt& jwt, const Jwk& key) {
    if (jwt.type != access_token_type || key.token_type != access_token_type) {
        return refuse(refusal_reason::wrong_type, "it is not an access token");
    }
    if (jwt.algorithm != name_of(key.key.algorithm())) {
        return refuse(refusal_reason::wrong_algorithm, "alg does not fit the key");
    }
    if (!key.key.verify(jwt.signing_input, jwt.signature)) {
        return refuse(refusal_reason::wrong_signature, "the signature is wrong");
    }
    return {};
}

/// The times of RFC 7519 4.1.4 to 4.1.6.
Judged<void> check_times(const ParsedJwt& jwt, std::int64_t now) {
    if (!jwt.expires_at || !jwt.issued_at) {
        return refuse(refusal_reason::malformed, "exp or iat is missing");
    }
    if (*jwt.expires_at <= now) {
        return refuse(refusal_reason::expired, "it has expired");
    }
    if (*jwt.issued_at > now + clock_skew_seconds ||
        jwt.not_before.value_or(0) > now + clock_skew_seconds) {
        return refuse(refusal_reason::not_yet_valid, "it is not valid yet; is the clock right?");
    }
    return {};
}

Judged<void> check_names(const ParsedJwt& jwt, const Expectations& expected) {
    if (std::ranges::find(expected.issuers, jwt.issuer) == expected.issuers.end()) {
        return refuse(refusal_reason::wrong_issuer, "iss is not the tenant's");
    }
    if (std::ranges::find(jwt.audience, expected.audience) == jwt.audience.end()) {
        return refuse(refusal_reason::wrong_audience, "aud does not name this audience");
    }
    if (!jwt.tenant || jwt.client_id.empty()) {
        return refuse(refusal_reason::malformed, "tenant or client_id is missing");
    }
    return {};
}

/// The claims as text, of a token whose form is right.
std::string claims_of(const ParsedJwt& jwt) {
    const std::string_view input = jwt.signing_input;
    const auto payload = decode_base64url(input.substr(input.find('.') + 1));
    return payload ? std::string(as_text(*payload)) : std::string();
}

/// The permissions of a `scope` that are not in the table of resource types.
std::vector<std::string> unknown_permissions(std::string_view scope) {
    std::vector<std::string> unknown;
    while (!scope.empty()) {
        const std::string_view word = scope.substr(0, scope.find(' '));
        scope.remove_prefix(std::min(word.size() + 1, scope.size()));
        if (word.contains(':') && !find_permission(word)) {
            unknown.emplace_back(word);
        }
    }
    return unknown;
}

} // namespace

Judged<TokenPointer> judge_token(std::string_view text, const Expectations& expected,
                                 KeyStore& keys, std::int64_t now_seconds) {
    if (text.empty()) {
        return refuse(refusal_reason::missing, "there is no token");
    }
    auto parsed = parse_jwt(text);
    if (!parsed) {
        return refuse(refusal_reason::malformed, parsed.error().detail());
    }
    ParsedJwt& jwt = *parsed;
    const auto key = keys.find_or_fetch(jwt.kid);
    if (!key) {
        return refuse(refusal_reason::unknown_key, "no published key has this kid");
    }
    TRY(check_signature(jwt, *key));
    TRY(check_names(jwt, expected));
    TRY(check_times(jwt, now_seconds));
    const auto subject = parse_subject_claim(jwt.subject);
    const auto token_id = read_token_id(jwt.token_id);
    if (!subject || !token_id || (!jwt.session.empty() && !Uuid::parse(jwt.session))) {
        return refuse(refusal_reason::malformed, "sub, jti or sid is not ours");
    }
    auto token = std::make_shared<verified_token::parts>(); // shared: copies are the same token
    if (jwt.scope || jwt.within) {
        const TenantId tenant{static_cast<std::int32_t>(*jwt.tenant)};
        token->narrowing = limit_of_claims(tenant, jwt.scope, jwt.within);
        if (!token->narrowing) {
            return refuse(refusal_reason::malformed, "the scope of the token is not ours");
        }
        token->more = unknown_permissions(jwt.scope.value_or(""));
    }
    token->claims = claims_of(jwt);
    token->text = text;
    token->issued_at = *jwt.issued_at;
    token->expires_at = *jwt.expires_at;
    token->tenant = *jwt.tenant;
    token->epoch = token_id->epoch;
    token->secret = token_id->secret;
    token->issuer = std::move(jwt.issuer);
    token->subject = std::move(jwt.subject);
    token->client_id = std::move(jwt.client_id);
    token->token_id = std::move(jwt.token_id);
    token->session = std::move(jwt.session);
    token->audience = std::move(jwt.audience);
    token->kid = std::move(jwt.kid);
    return token;
}

Judged<void> judge_standing(const verified_token::parts& token, const KeyStore& keys,
                            const FeedState& feed, std::int64_t now_seconds) {
    if (!feed.has_begun()) {
        return refuse(refusal_reason::not_ready, "what has ended is not known yet");
    }
    if (feed.is_stale()) {
        return refuse(refusal_reason::stale, "nothing was heard from the server for too long");
    }
    if (token.expires_at <= now_seconds) {
        return refuse(refusal_reason::expired, "it has expired");
    }
    if (!keys.find(token.kid)) {
        return refuse(refusal_reason::unknown_key, "the key that has signed it is gone");
    }
    if (feed.has_ended(token.names())) {
        return refuse(refusal_reason::ended, "it was ended before its time");
    }
    return {};
}

Judged<void> judge_subject(const verified_token::parts& token, const RuleSet& rules) {
    if (token.tenant != claviger::number_of(rules.tenant())) {
        return refuse(refusal_reason::wrong_tenant, "it is of another tenant");
    }
    const auto subject = parse_subject_claim(token.subject);
    if (subject && subject->first == PrincipalKind::user && !rules.has_user(token.subject)) {
        return refuse(refusal_reason::unknown_subject, "its user is unknown");
    }
    return {};
}

Judged<void> judge_key(const verified_token::parts& token, const RuleSet& rules,
                       std::int64_t now_seconds) {
    const CredentialLimits* limits = rules.limits_of(token.client_id);
    if (limits == nullptr) {
        return {};
    }
    if (limits->is_honey) {
        return refuse(refusal_reason::honey_key, "nobody should have its key");
    }
    if (limits->expires_at && limits->expires_at->seconds() <= now_seconds) {
        return refuse(refusal_reason::key_expired, "its key has expired");
    }
    return {};
}

Judged<void> judge_address(const verified_token::parts& token, const RuleSet& rules,
                           std::string_view source_ip) {
    const CredentialLimits* limits = rules.limits_of(token.client_id);
    if (limits == nullptr || !limits->addresses || limits->address_mode == AddressMode::log_only) {
        return {};
    }
    if (source_ip.empty()) {
        return refuse(refusal_reason::address_missing,
                      "its key may be used from some addresses only; give source_ip");
    }
    if (!limits->addresses->contains(source_ip)) {
        return refuse(refusal_reason::address_forbidden, "its key may not be used from there");
    }
    return {};
}

refusal refusal_of(TokenRefusal refused) {
    refusal answer;
    const bool is_for_now =
        refused.reason == refusal_reason::not_ready || refused.reason == refusal_reason::stale;
    answer.status = is_for_now ? 503 : 401;
    if (!is_for_now && refused.reason != refusal_reason::missing) {
        answer.error = "invalid_token"; // RFC 6750 3.1
    }
    answer.reason = refused.reason;
    answer.detail = std::move(refused.detail);
    return answer;
}

} // namespace claviger::offline
