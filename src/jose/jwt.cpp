// SPDX-License-Identifier: Apache-2.0
#include "jose/jwt.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/strict_json.h"
#include "base/text.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr StrictJsonLimits token_limits{8, 64, false};

std::unexpected<Error> malformed(const char* why) {
    return fail(ErrorCode::unauthenticated, why);
}

/// The three parts between exactly two dots.
struct Parts {
    std::string_view header, payload, signature;
    std::string_view signing_input;
};

std::optional<Parts> split(std::string_view token) {
    if (std::ranges::count(token, '.') != 2) {
        return std::nullopt;
    }
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1), token.substr(0, second)};
}

Result<json::object> read_object(std::string_view encoded, const char* what) {
    const auto bytes = decode_base64url(encoded);
    if (!bytes) {
        return malformed(what);
    }
    auto value = parse_strict_json(as_text(*bytes), token_limits);
    if (!value || !value->is_object()) {
        return malformed(what);
    }
    return std::move(value->as_object());
}

/// An optional string member; the wrong type is an error.
Result<std::string> take_text(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr) {
        return std::string();
    }
    if (!value->is_string()) {
        return malformed("a claim has the wrong type");
    }
    return std::string(value->as_string());
}

Result<std::optional<std::int64_t>> take_number(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr) {
        return std::optional<std::int64_t>();
    }
    if (!value->is_int64() || value->as_int64() < 0) {
        return malformed("a time or number is no natural number");
    }
    return std::optional(value->as_int64());
}

/// RFC 7519 4.1.3: one string or an array of strings.
Result<std::vector<std::string>> take_audience(const json::object& object) {
    std::vector<std::string> audience;
    const json::value* value = object.if_contains(claim::audience);
    if (value == nullptr) {
        return audience;
    }
    if (value->is_string()) {
        audience.emplace_back(value->as_string());
        return audience;
    }
    if (!value->is_array()) {
        return malformed("aud has the wrong type");
    }
    for (const json::value& element : value->as_array()) {
        if (!element.is_string()) {
            return malformed("aud has the wrong type");
        }
        audience.emplace_back(element.as_string());
    }
    return audience;
}

/// RFC 8725 3.10: nothing in a header may bring a key, a format or a demand of its own.
Result<void> read_header(const json::object& header, ParsedJwt& jwt) {
    static constexpr std::array<std::string_view, 11> refused{
        "crit", "b64", "zip", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "cty", "enc"};
    for (const std::string_view name : refused) {
        if (header.contains(name)) {
            return malformed("the header holds a member that is not allowed");
        }
    }
    jwt.algorithm = TRY(take_text(header, "alg"));
    jwt.kid = TRY(take_text(header, "kid"));
    jwt.type = TRY(take_text(header, "typ"));
    return {};
}

Result<void> read_claims(const json::object& claims, ParsedJwt& jwt) {
    jwt.issuer = TRY(take_text(claims, claim::issuer));
    jwt.subject = TRY(take_text(claims, claim::subject));
    jwt.audience = TRY(take_audience(claims));
    jwt.client_id = TRY(take_text(claims, claim::client_id));
    jwt.token_id = TRY(take_text(claims, claim::token_id));
    jwt.session = TRY(take_text(claims, claim::session));
    jwt.email = TRY(take_text(claims, claim::email));
    jwt.expires_at = TRY(take_number(claims, claim::expiration));
    jwt.issued_at = TRY(take_number(claims, claim::issued_at));
    jwt.not_before = TRY(take_number(claims, claim::not_before));
    jwt.tenant = TRY(take_number(claims, claim::tenant));
    for (auto [name, text] : {std::pair(claim::scope, &jwt.scope), {claim::within, &jwt.within}}) {
        if (claims.contains(name)) {
            *text = TRY(take_text(claims, name));
        }
    }
    if (claims.contains("cnf")) { // bound to a key that was not shown (RFC 7800)
        return malformed("the token is bound to a key");
    }
    return {};
}

} // namespace

JwtBuilder::JwtBuilder(const PrivateKey& key, std::string_view kid, std::string_view type)
    : key_(key) {
    payload_.reserve(512); // holds the header before the claims
    payload_ += "{\"alg\":\"";
    payload_ += name_of(key.algorithm());
    payload_ += "\",\"kid\":";
    append_json_string(payload_, kid);
    payload_ += ",\"typ\":";
    append_json_string(payload_, type);
    payload_ += '}';
    token_.reserve(1536);
    append_base64url(token_, as_bytes(payload_));
    token_ += '.';
    payload_ = '{';
}

JwtBuilder& JwtBuilder::add(std::string_view name, std::string_view value) {
    payload_ += payload_.size() > 1 ? "," : "";
    append_json_string(payload_, name);
    payload_ += ':';
    append_json_string(payload_, value);
    return *this;
}

JwtBuilder& JwtBuilder::add(std::string_view name, std::int64_t value) {
    payload_ += payload_.size() > 1 ? "," : "";
    append_json_string(payload_, name);
    payload_ += ':';
    payload_ += std::to_string(value);
    return *this;
}

JwtBuilder& JwtBuilder::add(std::string_view name, std::span<const std::string> values) {
    payload_ += payload_.size() > 1 ? "," : "";
    append_json_string(payload_, name);
    payload_ += ":[";
    for (const std::string& value : values) {
        payload_ += payload_.back() == '[' ? "" : ",";
        append_json_string(payload_, value);
    }
    payload_ += ']';
    return *this;
}

JwtBuilder& JwtBuilder::add_json(std::string_view name, std::string_view json) {
    payload_ += payload_.size() > 1 ? "," : "";
    append_json_string(payload_, name);
    payload_ += ':';
    payload_ += json;
    return *this;
}

std::string JwtBuilder::sign() {
    payload_ += '}';
    append_base64url(token_, as_bytes(payload_));
    const std::size_t size = token_.size();
    token_ += '.';
    key_.sign(std::string_view(token_).substr(0, size), token_);
    return std::move(token_);
}

Result<ParsedJwt> parse_jwt(std::string_view token, std::size_t longest) {
    if (token.size() > longest) {
        return malformed("the token is too long");
    }
    const auto parts = split(token);
    if (!parts) {
        return malformed("the token has not three parts");
    }
    const json::object header = TRY(read_object(parts->header, "the header is malformed"));
    const json::object claims = TRY(read_object(parts->payload, "the payload is malformed"));
    auto signature = decode_base64url(parts->signature);
    if (!signature) {
        return malformed("the signature is malformed");
    }
    ParsedJwt jwt;
    TRY(read_header(header, jwt));
    TRY(read_claims(claims, jwt));
    jwt.signing_input = parts->signing_input;
    jwt.signature = *std::move(signature);
    return jwt;
}

} // namespace claviger
