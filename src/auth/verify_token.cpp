// SPDX-License-Identifier: Apache-2.0
#include "auth/verify_token.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "auth/eligible.h"
#include "auth/issue_token.h"
#include "auth/names.h"
#include "auth/narrowing.h"

namespace claviger {
namespace {

std::unexpected<Error> refuse(std::string why) {
    return fail(ErrorCode::unauthenticated, std::move(why));
}

/// The times of RFC 7519 4.1.4 to 4.1.6, all in seconds.
Result<void> check_times(const ParsedJwt& jwt, std::int64_t now) {
    if (!jwt.expires_at || !jwt.issued_at) {
        return refuse("exp or iat is missing");
    }
    if (*jwt.expires_at <= now) {
        return refuse("the token has expired");
    }
    if (*jwt.issued_at > now + clock_skew_seconds) {
        return refuse("the token was issued in the future");
    }
    if (jwt.not_before && *jwt.not_before > now + clock_skew_seconds) {
        return refuse("the token is not valid yet");
    }
    return {};
}

/// The claims that only access tokens have (RFC 9068 2.2, 4).
Result<void> check_access_token(const ParsedJwt& jwt, const TenantState& state,
                                const TokenSettings& settings) {
    if (std::ranges::find(jwt.audience, settings.audience) == jwt.audience.end()) {
        return refuse("the token is for another audience");
    }
    if (!jwt.tenant || *jwt.tenant != number_of(state.tenant.id)) {
        return refuse("the token names another tenant");
    }
    if (jwt.client_id.empty()) {
        return refuse("client_id is missing");
    }
    return {};
}

/// A cache of verified tokens: 4 entries a set, found by the SHA-256 of the whole token.
class VerifiedTokens {
public:
    struct Entry {
        Sha256Digest token_hash{};
        std::uint64_t verifier = 0; // 0: free
        TokenFacts token;
        std::uint32_t key_ring_serial = 0;
    };
    static_assert(std::is_trivially_copyable_v<Entry>, "entries live in memory of calloc");

    const Entry* find(const Sha256Digest& hash, std::uint64_t verifier) const {
        if (entries_ == nullptr) {
            return nullptr;
        }
        const Entry* const set = set_of(hash);
        for (std::size_t way = 0; way < ways; ++way) {
            if (set[way].verifier == verifier && set[way].token_hash == hash) {
                return &set[way];
            }
        }
        return nullptr;
    }

    void insert(const Entry& entry) {
        if (entries_ == nullptr) {
            entries_.reset(static_cast<Entry*>(std::calloc(set_count * ways, sizeof(Entry))));
        }
        if (entries_ != nullptr) {
            set_of(entry.token_hash)[next_way_++ % ways] = entry;
        }
    }

private:
    static constexpr std::size_t ways = 4;
    static constexpr std::size_t set_count = 16'384;
    struct Free {
        void operator()(Entry* entries) const { std::free(entries); }
    };

    Entry* set_of(const Sha256Digest& hash) const {
        std::uint64_t number = 0;
        std::memcpy(&number, hash.data(), sizeof number);
        return entries_.get() + number % set_count * ways;
    }

    std::unique_ptr<Entry[], Free> entries_; // zero pages until used
    std::size_t next_way_ = 0;
};

/// What the narrowed ones among them were narrowed to: few, and each beside the hash of its whole
/// token. A narrowed token that is no longer here is verified again.
class KnownNarrowings {
public:
    std::shared_ptr<const AccessLimit> find(const Sha256Digest& token_hash) const {
        if (places_.empty()) {
            return nullptr;
        }
        const Place& place = places_[place_of(token_hash)];
        return place.token_hash == token_hash ? place.narrowing : nullptr;
    }
    void insert(const Sha256Digest& token_hash, std::shared_ptr<const AccessLimit> narrowing) {
        places_.resize(place_count);
        places_[place_of(token_hash)] = {token_hash, std::move(narrowing)};
    }

private:
    struct Place {
        Sha256Digest token_hash{};
        std::shared_ptr<const AccessLimit> narrowing; // as in VerifiedToken
    };
    static constexpr std::size_t place_count = 1024;
    static std::size_t place_of(const Sha256Digest& hash) {
        return (hash[0] | std::size_t{hash[1]} << 8) % place_count;
    }
    std::vector<Place> places_; // none until the first
};

/// The limit that the claims of an access token tell; null when it is not narrowed.
Result<std::shared_ptr<const AccessLimit>> narrowing_of(const ParsedJwt& jwt, TenantId tenant) {
    std::shared_ptr<const AccessLimit> narrowing; // as in VerifiedToken
    if (jwt.scope || jwt.within) {
        auto limit = limit_of_claims(tenant, jwt.scope, jwt.within);
        if (!limit) {
            return refuse("the scope of the token is not ours");
        }
        narrowing = std::make_shared<const AccessLimit>(*std::move(limit));
    }
    return narrowing;
}

} // namespace

Result<VerifiedToken> verify_jwt(const TenantState& state, const TokenSettings& settings,
                                 std::string_view token, AcceptedTokens accepted, Timestamp now) {
    const ParsedJwt jwt = TRY(parse_jwt(token));
    const OpenedKey* key = state.keys.find(jwt.kid, now);
    if (key == nullptr) {
        return refuse("the signing key is unknown");
    }
    if (key->row.purpose == KeyPurpose::security_event) {
        return refuse("a security event is no token");
    }
    const bool is_id_token = key->row.purpose == KeyPurpose::id_token;
    if (is_id_token && accepted == AcceptedTokens::access_tokens) {
        return refuse("an id token is not an access token");
    }
    if (jwt.type != (is_id_token ? id_token_type : access_token_type)) {
        return refuse("typ does not fit the key");
    }
    if (jwt.algorithm != name_of(key->public_key.algorithm())) {
        return refuse("alg does not fit the key");
    }
    if (!key->public_key.verify(jwt.signing_input, jwt.signature)) {
        return refuse("the signature is wrong");
    }
    if (jwt.issuer != root_issuer(settings, state.tenant) &&
        jwt.issuer != realm_issuer(settings, state.tenant)) {
        return refuse("Issuer is not familiar.");
    }
    TRY(check_times(jwt, now.seconds()));
    if (!is_id_token) {
        TRY(check_access_token(jwt, state, settings));
    }
    const auto subject = parse_subject_claim(jwt.subject);
    const auto token_id = read_token_id(jwt.token_id);
    const auto session = Uuid::parse(jwt.session);
    if (!subject || !token_id || (!session && !jwt.session.empty())) {
        return refuse("sub, jti or sid is not ours");
    }
    VerifiedToken verified{{state.tenant.id, subject->first, subject->second, token_id->epoch,
                            *jwt.expires_at, is_id_token, *jwt.issued_at, token_id->random,
                            session}};
    verified.narrowing = TRY(narrowing_of(jwt, state.tenant.id));
    verified.is_narrowed = verified.narrowing != nullptr;
    // An id token names its client as the audience (OpenID Connect Core 2).
    const std::string_view client =
        is_id_token && !jwt.audience.empty() ? jwt.audience.front() : jwt.client_id;
    if (subject->first == PrincipalKind::user && client.starts_with(access_key_prefix)) {
        const AccessKey* access_key = state.access_keys.find_by_client_id(client);
        if (access_key == nullptr) {
            return refuse("the access key is unknown");
        }
        verified.access_key = access_key->id.value;
    }
    return verified;
}

bool is_revoked(const TenantState& state, const VerifiedToken& token) {
    const auto& not_before = state.tenant.tokens_not_before;
    return state.revocations.has_ended(token.random) ||
           (token.session && state.revocations.has_ended(*token.session)) ||
           (not_before && token.issued_at < first_good_second(*not_before));
}

TokenVerifier::TokenVerifier(const TokenSettings& settings, const Clock& clock)
    : settings_(settings), clock_(clock), serial_([] {
          static std::atomic<std::uint64_t> last{0};
          return ++last;
      }()) {}

Result<VerifiedToken> TokenVerifier::find(const TenantState& state, std::string_view token,
                                          AcceptedTokens accepted, Timestamp now) const {
    static thread_local VerifiedTokens cache;
    static thread_local KnownNarrowings narrowings;
    const Sha256Digest hash = sha256(as_bytes(token));
    const VerifiedTokens::Entry* known = cache.find(hash, serial_);
    if (known != nullptr && known->token.tenant == state.tenant.id &&
        known->key_ring_serial == state.keys.serial() && known->token.expires_at > now.seconds()) {
        VerifiedToken verified{known->token};
        verified.narrowing = verified.is_narrowed ? narrowings.find(hash) : nullptr;
        if (verified.is_id_token && accepted == AcceptedTokens::access_tokens) {
            return refuse("an id token is not an access token");
        }
        if (verified.is_narrowed == (verified.narrowing != nullptr)) {
            return verified;
        }
    }
    VerifiedToken verified = TRY(verify_jwt(state, settings_, token, accepted, now));
    cache.insert({hash, serial_, verified, state.keys.serial()});
    if (verified.narrowing) {
        narrowings.insert(hash, verified.narrowing);
    }
    return verified;
}

Result<Principal> TokenVerifier::verify(const TenantState& state, std::string_view token,
                                        AcceptedTokens accepted, std::string_view source_ip) const {
    if (token.size() > max_token_size) {
        return refuse("the token is too long");
    }
    const Timestamp now = clock_.now();
    VerifiedToken verified = TRY(find(state, token, accepted, now));
    if (is_revoked(state, verified)) {
        return refuse("the token was revoked");
    }
    const Eligibility standing = eligible(state, verified.kind, verified.id, verified.epoch,
                                          {now, source_ip}, verified.access_key);
    if (standing.refused) {
        return refuse(std::string(name_of(*standing.refused)));
    }
    Principal principal{verified.kind, verified.id, std::string(standing.name)};
    principal.access_key = verified.access_key;
    principal.limits = standing.limits;
    principal.narrowing = std::move(verified.narrowing);
    principal.is_outside_addresses = standing.is_outside_addresses;
    if (standing.is_outside_addresses) {
        outside_addresses_.fetch_add(1, std::memory_order_relaxed);
    }
    if (standing.user != nullptr) {
        principal.groups = standing.user->groups;
    }
    return principal;
}

} // namespace claviger
