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

constexpr std::string_view service_account_prefix = "sa:";
constexpr std::string_view user_prefix = "user:";

constexpr std::size_t token_id_size = 24; // bytes

/// Big-endian.
void write_number(std::span<std::uint8_t, 4> bytes, std::uint32_t number) {
    for (std::size_t i = bytes.size(); i-- > 0; number >>= 8) {
        bytes[i] = static_cast<std::uint8_t>(number);
    }
}
std::uint32_t read_number(std::span<const std::uint8_t, 4> bytes) {
    std::uint32_t number = 0;
    for (const std::uint8_t byte : bytes) {
        number = number << 8 | byte;
    }
    return number;
}

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

std::string make_token_id(std::uint32_t epoch, std::uint32_t secret, Random& random) {
    std::array<std::uint8_t, token_id_size> bytes{};
    write_number(std::span(bytes).first<4>(), epoch);
    write_number(std::span(bytes).subspan<4, 4>(), secret);
    random.fill(std::span(bytes).subspan(8));
    return base64url(bytes);
}

std::optional<TokenId> read_token_id(std::string_view token_id) {
    const auto bytes = decode_base64url(token_id);
    if (!bytes || bytes->size() != token_id_size) {
        return std::nullopt;
    }
    const std::span all(*bytes);
    TokenId id{read_number(all.first<4>()), read_number(all.subspan<4, 4>()), {}};
    std::ranges::copy(all.subspan<8>(), id.random.bytes.begin());
    return id;
}

std::string subject_claim(PrincipalKind kind, const Uuid& id) {
    std::string claim;
    claim.reserve(user_prefix.size() + id.characters().size());
    claim += kind == PrincipalKind::user ? user_prefix : service_account_prefix;
    claim += as_text(id.characters());
    return claim;
}

std::optional<std::pair<PrincipalKind, Uuid>> parse_subject_claim(std::string_view claim) {
    const bool user = claim.starts_with(user_prefix);
    if (!user && !claim.starts_with(service_account_prefix)) {
        return std::nullopt;
    }
    claim.remove_prefix(user ? user_prefix.size() : service_account_prefix.size());
    const auto id = Uuid::parse(claim);
    if (!id) {
        return std::nullopt;
    }
    return std::pair(user ? PrincipalKind::user : PrincipalKind::service_account, *id);
}

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
