// SPDX-License-Identifier: Apache-2.0
#include "verifier/signed_document.h"

#include <boost/json.hpp>

#include "base/strict_json.h"
#include "jose/jwt.h"

namespace claviger::offline {
namespace {

namespace json = boost::json;

constexpr StrictJsonLimits document_limits{8, 64, false};
constexpr std::size_t longest_document = std::size_t{4} * 1024 * 1024; // bytes

std::unexpected<Error> refuse(const char* why) {
    return fail(ErrorCode::unauthenticated, std::string("a signed document of the server: ") + why);
}

std::unexpected<Error> wrong_member(std::string_view name) {
    return fail(ErrorCode::invalid_request, "a document of the server has no " + std::string(name) +
                                                ", or not as it should be");
}

} // namespace

Result<std::int64_t> number_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
    if (number == nullptr || *number < 0) {
        return wrong_member(name);
    }
    return *number;
}

Result<std::string_view> text_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr) {
        return wrong_member(name);
    }
    return std::string_view(*text);
}

Result<bool> bool_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const bool* fact = value == nullptr ? nullptr : value->if_bool();
    if (fact == nullptr) {
        return wrong_member(name);
    }
    return *fact;
}

DocumentReader::DocumentReader(KeyStore& keys, std::string issuer)
    : keys_(keys), issuer_(std::move(issuer)) {}

Result<json::object> DocumentReader::read(std::string_view text, const DocumentKind& kind) const {
    const ParsedJwt jwt = TRY(parse_jwt(text, longest_document));
    auto key = keys_.find(jwt.kid);
    if (!key) {
        TRY(keys_.load());
        key = keys_.find(jwt.kid);
    }
    if (!key) {
        return refuse("no published key has signed it");
    }
    if (jwt.type != kind.type || key->token_type != security_event_type) {
        return refuse("it is of another kind");
    }
    if (jwt.algorithm != name_of(key->key.algorithm()) ||
        !key->key.verify(jwt.signing_input, jwt.signature)) {
        return refuse("its signature is wrong");
    }
    if (jwt.issuer != issuer_) {
        return refuse("it is of another issuer; is the option issuer the server's public address?");
    }
    if (jwt.audience != std::vector<std::string>{std::string(kind.audience)} || !jwt.issued_at) {
        return refuse("it is for somebody else");
    }
    const std::string_view signed_text = jwt.signing_input;
    const auto payload = decode_base64url(signed_text.substr(signed_text.find('.') + 1));
    if (!payload) {
        return refuse("it is malformed");
    }
    json::value claims = TRY(parse_strict_json(as_text(*payload), document_limits));
    return std::move(claims.as_object()); // an object: parse_jwt() has seen to it
}

Result<DocumentReader::Snapshot> DocumentReader::read_snapshot(std::string_view answer,
                                                               const DocumentKind& kind) const {
    const json::value document = TRY(parse_strict_json(answer, document_limits));
    if (!document.is_object()) {
        return wrong_member("parts");
    }
    Snapshot snapshot;
    snapshot.number = TRY(number_member(document.get_object(), claim::number));
    const json::value* parts = document.get_object().if_contains("parts");
    if (parts == nullptr || !parts->is_array() || parts->get_array().empty()) {
        return wrong_member("parts");
    }
    for (const json::value& part : parts->get_array()) {
        if (!part.is_string()) {
            return wrong_member("parts");
        }
        json::object claims = TRY(read(std::string_view(part.get_string()), kind));
        const std::size_t place = snapshot.parts.size() + 1;
        const std::int64_t number = TRY(number_member(claims, claim::number));
        const std::int64_t said = TRY(number_member(claims, claim::part));
        const bool is_last = TRY(bool_member(claims, claim::is_last));
        if (number != snapshot.number || said != static_cast<std::int64_t>(place) ||
            is_last != (place == parts->get_array().size())) {
            return refuse("a part of the snapshot is missing");
        }
        snapshot.parts.push_back(std::move(claims));
    }
    return snapshot;
}

} // namespace claviger::offline
