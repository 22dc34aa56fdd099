// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens in compact form (RFC 7519), as Claviger writes and reads them: strict in, pure
// ASCII out. No encryption, no compression, no key from a token, no `crit`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "jose/key.h"

namespace claviger {

namespace claim { // RFC 7519 4.1, RFC 9068 2.2; `tenant` and `within` are ours
inline constexpr std::string_view issuer = "iss";
inline constexpr std::string_view subject = "sub";
inline constexpr std::string_view audience = "aud";
inline constexpr std::string_view expiration = "exp";
inline constexpr std::string_view not_before = "nbf";
inline constexpr std::string_view issued_at = "iat";
inline constexpr std::string_view token_id = "jti";
inline constexpr std::string_view client_id = "client_id";
inline constexpr std::string_view tenant = "tenant";
inline constexpr std::string_view session = "sid";   // OpenID Connect Front-Channel Logout 3
inline constexpr std::string_view scope = "scope";   // RFC 9068 2.2.3: permissions
inline constexpr std::string_view within = "within"; // a scope of the tree
inline constexpr std::string_view email = "email";
// OpenID Connect Core 5.1, and what clients of the contract look for (1.6).
inline constexpr std::string_view preferred_username = "preferred_username";
inline constexpr std::string_view given_name = "given_name";
inline constexpr std::string_view family_name = "family_name";
inline constexpr std::string_view groups = "groups";
inline constexpr std::string_view uid = "uid";
inline constexpr std::string_view gid = "gid";
inline constexpr std::string_view supplementary_groups = "supplementaryGroups";
// RFC 8417 2.2; the others are ours.
inline constexpr std::string_view events = "events";
inline constexpr std::string_view number = "number";
inline constexpr std::string_view part = "part";
inline constexpr std::string_view is_last = "last";
} // namespace claim

inline constexpr std::string_view access_token_type = "at+jwt"; // RFC 9068 2.1
inline constexpr std::string_view id_token_type = "JWT";
inline constexpr std::string_view security_event_type = "secevent+jwt"; // RFC 8417 2.3

/// The longest compact token that is looked at, in bytes.
inline constexpr std::size_t max_token_size = 8192;

/// Builds a signed token: claims are appended one by one, in the order given.
class JwtBuilder {
public:
    JwtBuilder(const PrivateKey& key, std::string_view kid, std::string_view type);
    JwtBuilder& add(std::string_view name, std::string_view value);
    JwtBuilder& add(std::string_view name, std::int64_t value);
    JwtBuilder& add(std::string_view name, std::span<const std::string> values);
    /// A claim that is a JSON text already.
    JwtBuilder& add_json(std::string_view name, std::string_view json);
    /// The compact serialisation. Call once.
    std::string sign();

private:
    const PrivateKey& key_;
    std::string token_; // the header, until it is signed
    std::string payload_;
};

/// What a token says, once its form is right and before anything is believed.
struct ParsedJwt {
    std::string algorithm; // header alg, kid, typ
    std::string kid;
    std::string type;
    std::string issuer;
    std::string subject;
    std::vector<std::string> audience;
    std::string client_id;
    std::string token_id;
    std::string session;
    std::optional<std::int64_t> expires_at, issued_at, not_before; // seconds
    std::optional<std::int64_t> tenant;
    std::optional<std::string> scope, within; // what the token was narrowed to
    std::string email;
    std::string signing_input; // header "." payload
    Bytes signature;
};

/// Strict: exactly three parts, canonical base64url, header and payload JSON objects without
/// duplicate members (compared as ASCII case-sensitive names), integers only for times, strings
/// without control characters, no crit/b64/zip, no jku/jwk/x5u/x5c key headers, depth <= 8.
/// Every failure is `unauthenticated` and says which rule broke (for the log, not for the wire).
/// Who reads signed documents that are no tokens says how many bytes these may have.
Result<ParsedJwt> parse_jwt(std::string_view token, std::size_t longest = max_token_size);

} // namespace claviger
