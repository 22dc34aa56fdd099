// SPDX-License-Identifier: Apache-2.0
#include "auth/issue_token.h"

#include <algorithm>
#include <array>

#include "access/scope_type.h"
#include "auth/user_claims.h"
#include "base/encoding.h"
#include "base/text.h"
#include "jose/jwt.h"

namespace claviger {
namespace {

Result<const OpenedKey*> find_signing_key(const TenantState& state, const TokenSettings& settings,
                                          KeyPurpose purpose, std::string_view audience,
                                          Timestamp now) {
    const OpenedKey* key = state.keys.signing_key(purpose, algorithm_for(settings, audience), now);
    if (key == nullptr) {
        return fail(ErrorCode::unavailable, "no signing key is active");
    }
    return key;
}

/// Seconds. Not in the second in which all earlier tokens were ended, nor before it, should the
/// clock go back.
std::int64_t time_of_issue(const TenantState& state, Timestamp now) {
    const auto& not_before = state.tenant.tokens_not_before;
    return not_before ? std::max(now.seconds(), first_good_second(*not_before)) : now.seconds();
}

std::string issuer_of(const TenantState& state, const TokenSettings& settings, IssuerKind issuer) {
    return issuer == IssuerKind::root ? root_issuer(settings, state.tenant)
                                      : realm_issuer(settings, state.tenant);
}

} // namespace

Result<IssuedToken> issue_access_token(const TenantState& state, const TokenSettings& settings,
                                       IssuerKind issuer, const TokenSubject& subject,
                                       Timestamp now, Random& random) {
    const Narrowing* narrowing = subject.narrowing;
    const bool is_for_other = narrowing != nullptr && !narrowing->audience.empty();
    const std::string& audience = is_for_other ? narrowing->audience : settings.audience;
    const OpenedKey* key =
        TRY(find_signing_key(state, settings, KeyPurpose::access_token, audience, now));
    IssuedToken token;
    token.token_id = make_token_id(subject.epoch, subject.secret, random);
    JwtBuilder builder(key->private_key, key->row.kid, access_token_type);
    builder.add(claim::issuer, issuer_of(state, settings, issuer))
        .add(claim::subject, subject_claim(subject.kind, subject.id))
        .add(claim::audience, audience)
        .add(claim::client_id, subject.client_id)
        .add(claim::issued_at, time_of_issue(state, now))
        .add(claim::expiration, now.seconds() + subject.lifetime_seconds)
        .add(claim::token_id, token.token_id)
        .add(claim::tenant, std::int64_t{number_of(state.tenant.id)});
    if (subject.session) {
        builder.add(claim::session, as_text(subject.session->characters()));
    }
    if (narrowing != nullptr && narrowing->permissions) {
        builder.add(claim::scope, scope_claim(*narrowing->permissions));
    }
    if (narrowing != nullptr && narrowing->scope) {
        builder.add(claim::within, text_of(*narrowing->scope));
    }
    token.text = builder.sign();
    return token;
}

Result<IssuedToken> issue_id_token(const TenantState& state, const TokenSettings& settings,
                                   IssuerKind issuer, const TokenSubject& subject, Timestamp now,
                                   Random& random) {
    const OpenedKey* key =
        TRY(find_signing_key(state, settings, KeyPurpose::id_token, subject.client_id, now));
    IssuedToken token;
    token.token_id = make_token_id(subject.epoch, subject.secret, random);
    JwtBuilder builder(key->private_key, key->row.kid, id_token_type);
    builder.add(claim::issuer, issuer_of(state, settings, issuer))
        .add(claim::subject, subject_claim(subject.kind, subject.id))
        .add(claim::audience, subject.client_id)
        .add(claim::issued_at, time_of_issue(state, now))
        .add(claim::expiration, now.seconds() + subject.lifetime_seconds)
        .add(claim::token_id, token.token_id);
    if (subject.session) {
        builder.add(claim::session, as_text(subject.session->characters()));
    }
    if (subject.user != nullptr) {
        add_user_claims(builder, *subject.user);
    }
    token.text = builder.sign();
    return token;
}

} // namespace claviger
