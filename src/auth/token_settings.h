// SPDX-License-Identifier: Apache-2.0
// What the operator has settled about tokens, and the names under which a tenant issues them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace claviger {

/// What becomes of a secret that is reported as leaked.
enum class LeakPolicy : std::uint8_t {
    revoke, ///< It and its tokens end.
    freeze, ///< Likewise, until somebody restores it.
    record, ///< It is only told.
};
std::string_view name_of(LeakPolicy policy); // "revoke"

struct TokenSettings {
    std::string public_url = "http://127.0.0.1:8080"; // without a trailing slash
    std::string audience = "runai";
    std::vector<std::string> resources;   // other audiences, which a request may name (RFC 8707)
    std::int64_t lifetime_seconds = 3600; // above 60: clients refresh a minute early
    std::int64_t refresh_lifetime_seconds = 2'592'000; // of a session, from the sign-in
    SigningAlgorithm algorithm = SigningAlgorithm::es256;
    /// Audiences whose tokens are signed with another one.
    std::map<std::string, SigningAlgorithm, std::less<>> audience_algorithms = {};
    int rsa_key_bits = 3072;
    std::int64_t key_rotation_seconds = 2'592'000; // a key signs this long; 0: until told otherwise
    bool password_grant = true;
    std::int64_t key_expiry_warning_seconds = 604'800; // before the expiry of a key
    LeakPolicy leaked_secret_policy = LeakPolicy::revoke;
};

/// The algorithm of tokens for this audience.
SigningAlgorithm algorithm_for(const TokenSettings& settings, std::string_view audience);
/// Of each there is a key, published before it is used; the usual one comes first.
std::vector<SigningAlgorithm> algorithms_in_use(const TokenSettings& settings);

/// The client of users who sign in without naming one.
inline constexpr std::string_view public_client_id = "runai";
/// The public client that a user's sign-in belongs to: one of those known, else the one above.
std::string_view public_client(std::string_view client_id);

/// The first second of issue, as tokens tell it, that lies wholly after `not_before`.
constexpr std::int64_t first_good_second(Timestamp not_before) {
    return not_before.seconds() + 1;
}

/// The host name in a URL, without the port.
std::string host_of_url(std::string_view url);

/// The tenant's own address: the public URL, with the tenant's host name where it has one.
std::string base_url(const TokenSettings& settings, const Tenant& tenant);

/// The issuer of the root documents (RFC 8414 2).
std::string root_issuer(const TokenSettings& settings, const Tenant& tenant);
/// The issuer of the realm's documents.
std::string realm_issuer(const TokenSettings& settings, const Tenant& tenant);

} // namespace claviger
