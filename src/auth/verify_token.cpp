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

constexpr std::string_view not_an_access_token = "an id token is not an access token";

/// A token while it is judged: refusals name whose it is once the signature is good.
class Judge {
public:
    std::unexpected<Refusal> refuse(RefusalReason reason, std::string detail = {}) const {
        Refusal refusal;
        refusal.reason = reason;
        refusal.subject = subject_;
        refusal.detail = std::move(detail);
        return std::unexpected(std::move(refusal));
    }
    std::unexpected<Refusal> refuse_at(RefusalReason reason, std::int64_t seconds) const {
        auto refused = refuse(reason);
        refused.error().when = Timestamp::from_seconds(seconds);
        return refused;
    }
    std::unexpected<Refusal> malformed(std::string_view why) const {
        return refuse(RefusalReason::token_malformed, std::string(why));
    }

    void name_subject(PrincipalKind kind, const Uuid& id) { subject_ = {kind, id}; }

private:
    RefusedSubject subject_;
};

/// The times of RFC 7519 4.1.4 to 4.1.6, all in seconds.
Judged<void> check_times(const Judge& judge, const ParsedJwt& jwt, std::int64_t now) {
    if (!jwt.expires_at || !jwt.issued_at) {
        return judge.malformed("exp or iat is missing");
    }
    if (*jwt.expires_at <= now) {
        return judge.refuse_at(RefusalReason::token_expired, *jwt.expires_at);
    }
    if (*jwt.issued_at > now + clock_skew_seconds) {
        return judge.refuse_at(RefusalReason::token_from_the_future, *jwt.issued_at);
    }
    if (jwt.not_before && *jwt.not_before > now + clock_skew_seconds) {
        return judge.refuse_at(RefusalReason::token_not_valid_yet, *jwt.not_before);
    }
    return {};
}

/// The claims that only access tokens have (RFC 9068 2.2, 4).
Judged<void> check_access_token(const Judge& judge, const ParsedJwt& jwt, const TenantState& state,
                                const TokenSettings& settings, std::string_view resource) {
    const auto is_for_us = [&](std::string_view audience) {
        return audience == settings.audience || (!resource.empty() && audience == resource);
    };
    if (std::ranges::none_of(jwt.audience, is_for_us)) {
        return judge.refuse(RefusalReason::wrong_audience);
    }
    if (!jwt.tenant || *jwt.tenant != number_of(state.tenant.id)) {
        return judge.refuse(RefusalReason::token_of_another_tenant);
    }
    if (jwt.client_id.empty()) {
        return judge.malformed("client_id is missing");
    }
    return {};
}

/// Whether the key is one for tokens of this kind, and the signature its own.
Judged<void> check_signature(const Judge& judge, const ParsedJwt& jwt, const OpenedKey& key,
                             AcceptedTokens accepted) {
    if (key.row.purpose == KeyPurpose::security_event) {
        return judge.refuse(RefusalReason::token_of_another_kind, "a security event is no token");
    }
    const bool is_id_token = key.row.purpose == KeyPurpose::id_token;
    if (is_id_token && accepted == AcceptedTokens::access_tokens) {
        return judge.refuse(RefusalReason::token_of_another_kind, std::string(not_an_access_token));
    }
    if (jwt.type != (is_id_token ? id_token_type : access_token_type)) {
        return judge.malformed("typ does not fit the key");
    }
    if (jwt.algorithm != name_of(key.public_key.algorithm())) {
        return judge.malformed("alg does not fit the key");
    }
    if (!key.public_key.verify(jwt.signing_input, jwt.signature)) {
        return judge.refuse(RefusalReason::wrong_signature);
    }
    return {};
}

/// A cache of verified tokens: 4 entries a set, found by the SHA-256 of the whole token. It is as
/// big as its tokens need, so that few of them lie on few pages of the memory.
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
        if (used_ >= set_count_ * ways / 2 && set_count_ < most_sets) {
            grow();
        }
        if (entries_ != nullptr) {
            put(entry);
        }
    }

private:
    static constexpr std::size_t ways = 4;
    static constexpr std::size_t fewest_sets = 256;
    static constexpr std::size_t most_sets = 16'384;
    struct Free {
        void operator()(Entry* entries) const { std::free(entries); }
    };
    using Entries = std::unique_ptr<Entry[], Free>;

    Entry* set_of(const Sha256Digest& hash) const {
        std::uint64_t number = 0;
        std::memcpy(&number, hash.data(), sizeof number);
        return entries_.get() + number % set_count_ * ways;
    }

    /// In the first free place, where it is found first as well, or in place of another one.
    void put(const Entry& entry) {
        Entry* const set = set_of(entry.token_hash);
        std::size_t way = 0;
        while (way < ways && set[way].verifier != 0) {
            ++way;
        }
        used_ += way < ways ? 1U : 0U;
        set[way < ways ? way : next_way_++ % ways] = entry;
    }

    /// Without memory it stays as it is.
    void grow() {
        const std::size_t before = set_count_;
        const std::size_t count = std::max(fewest_sets, before * 4);
        Entries bigger(static_cast<Entry*>(std::calloc(count * ways, sizeof(Entry))));
        if (bigger == nullptr) {
            return;
        }
        bigger.swap(entries_);
        set_count_ = count;
        used_ = 0;
        for (std::size_t i = 0; i < before * ways; ++i) {
            if (bigger[i].verifier != 0) {
                put(bigger[i]);
            }
        }
    }

    Entries entries_; // zero pages until used
    std::size_t set_count_ = 0;
    std::size_t used_ = 0;
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
Judged<std::shared_ptr<const AccessLimit>> narrowing_of(const Judge& judge, const ParsedJwt& jwt,
                                                        TenantId tenant) {
    std::shared_ptr<const AccessLimit> narrowing; // as in VerifiedToken
    if (jwt.scope || jwt.within) {
        auto limit = limit_of_claims(tenant, jwt.scope, jwt.within);
        if (!limit) {
            return judge.malformed("the scope of the token is not ours");
        }
        narrowing = std::make_shared<const AccessLimit>(*std::move(limit));
    }
    return narrowing;
}

/// The access key by which a user's token was got, if it was got by one.
Judged<std::optional<Uuid>> access_key_of(const Judge& judge, const ParsedJwt& jwt,
                                          const TenantState& state, bool is_id_token) {
    // An id token names its client as the audience (OpenID Connect Core 2).
    const std::string_view client =
        is_id_token && !jwt.audience.empty() ? jwt.audience.front() : jwt.client_id;
    if (!client.starts_with(access_key_prefix)) {
        return std::nullopt;
    }
    const AccessKey* key = state.access_keys.find_by_client_id(client);
    if (key == nullptr) {
        return judge.refuse(RefusalReason::principal_unknown, "the access key is unknown");
    }
    return key->id.value;
}

} // namespace

Judged<VerifiedToken> verify_jwt(const TenantState& state, const TokenSettings& settings,
                                 std::string_view token, AcceptedTokens accepted, Timestamp now,
                                 std::string_view resource) {
    Judge judge;
    const auto parsed = parse_jwt(token);
    if (!parsed) {
        return judge.malformed(parsed.error().detail());
    }
    const ParsedJwt& jwt = *parsed;
    const OpenedKey* key = state.keys.find(jwt.kid, now);
    if (key == nullptr) {
        return judge.refuse(RefusalReason::unknown_signing_key);
    }
    TRY(check_signature(judge, jwt, *key, accepted));
    const auto subject = parse_subject_claim(jwt.subject);
    if (subject) {
        judge.name_subject(subject->first, subject->second);
    }
    if (jwt.issuer != root_issuer(settings, state.tenant) &&
        jwt.issuer != realm_issuer(settings, state.tenant)) {
        return judge.refuse(RefusalReason::wrong_issuer);
    }
    TRY(check_times(judge, jwt, now.seconds()));
    const bool is_id_token = key->row.purpose == KeyPurpose::id_token;
    if (!is_id_token) {
        TRY(check_access_token(judge, jwt, state, settings, resource));
    }
    const auto token_id = read_token_id(jwt.token_id);
    const auto session = Uuid::parse(jwt.session);
    if (!subject || !token_id || (!session && !jwt.session.empty())) {
        return judge.malformed("sub, jti or sid is not ours");
    }
    VerifiedToken verified{{state.tenant.id, subject->first, subject->second, token_id->epoch,
                            *jwt.expires_at, is_id_token, *jwt.issued_at, token_id->random,
                            session}};
    verified.secret = token_id->secret;
    verified.narrowing = TRY(narrowing_of(judge, jwt, state.tenant.id));
    verified.is_narrowed = verified.narrowing != nullptr;
    if (subject->first == PrincipalKind::user) {
        verified.access_key = TRY(access_key_of(judge, jwt, state, is_id_token));
    }
    return verified;
}

bool is_revoked(const TenantState& state, const VerifiedToken& token) {
    const auto& not_before = state.tenant.tokens_not_before;
    return state.revocations.has_ended(token.random) ||
           (token.session && state.revocations.has_ended(*token.session)) ||
           (not_before && token.issued_at < first_good_second(*not_before));
}

TokenVerifier::TokenVerifier(const TokenSettings& settings, const Clock& clock,
                             std::string resource)
    : settings_(settings), clock_(clock), resource_(std::move(resource)), serial_([] {
          static std::atomic<std::uint64_t> last{0};
          return ++last;
      }()) {}

Judged<VerifiedToken> TokenVerifier::find(const TenantState& state, std::string_view token,
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
            Judge judge;
            judge.name_subject(verified.kind, verified.id);
            return judge.refuse(RefusalReason::token_of_another_kind,
                                std::string(not_an_access_token));
        }
        if (verified.is_narrowed == (verified.narrowing != nullptr)) {
            return verified;
        }
    }
    VerifiedToken verified = TRY(verify_jwt(state, settings_, token, accepted, now, resource_));
    cache.insert({hash, serial_, verified, state.keys.serial()});
    if (verified.narrowing) {
        narrowings.insert(hash, verified.narrowing);
    }
    return verified;
}

Judged<Principal> TokenVerifier::verify(const TenantState& state, std::string_view token,
                                        AcceptedTokens accepted, std::string_view source_ip) const {
    if (token.size() > max_token_size) {
        return Judge().malformed("the token is too long");
    }
    const Timestamp now = clock_.now();
    VerifiedToken verified = TRY(find(state, token, accepted, now));
    if (is_revoked(state, verified)) {
        Refusal refusal;
        refusal.reason = RefusalReason::token_revoked;
        refusal.subject = {verified.kind, verified.id, verified.access_key};
        return std::unexpected(std::move(refusal));
    }
    const Eligibility standing =
        eligible(state, verified.kind, verified.id, IssuedWith{verified.epoch, verified.secret},
                 {now, source_ip}, verified.access_key);
    if (standing.refused) {
        return std::unexpected(
            refusal_of(standing, {verified.kind, verified.id, verified.access_key}));
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
