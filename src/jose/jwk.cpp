// SPDX-License-Identifier: Apache-2.0
#include "jose/jwk.h"

#include <array>
#include <boost/json.hpp>
#include <optional>

#include "base/strict_json.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr StrictJsonLimits key_set_limits{4, 32, false};
constexpr std::size_t most_keys = 256;

/// A kind of key that is ours, and where its public part stands.
struct Form {
    JoseAlgorithm algorithm = JoseAlgorithm::es256;
    std::string_view kty, crv; // no crv: it has none
    std::string_view first, second;
};
constexpr std::array<Form, 3> forms{{{JoseAlgorithm::es256, "EC", "P-256", "x", "y"},
                                     {JoseAlgorithm::rs256, "RSA", "", "n", "e"},
                                     {JoseAlgorithm::ed25519, "OKP", "Ed25519", "x", ""}}};

/// Empty for a member that is not there or no text.
std::string_view text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<Bytes> bytes_of(const json::object& object, std::string_view name) {
    return name.empty() ? std::optional<Bytes>(Bytes()) : decode_base64url(text_of(object, name));
}

std::optional<Jwk> read_key(const json::object& object) {
    for (const Form& form : forms) {
        if (text_of(object, "alg") != name_of(form.algorithm) ||
            text_of(object, "kty") != form.kty || text_of(object, "crv") != form.crv ||
            text_of(object, "use") != "sig") {
            continue;
        }
        const auto first = bytes_of(object, form.first);
        const auto second = bytes_of(object, form.second);
        if (!first || !second) {
            return std::nullopt;
        }
        auto key = make_public_key(form.algorithm, *first, *second);
        if (!key || key->kid() != text_of(object, "kid")) {
            return std::nullopt;
        }
        return Jwk{*std::move(key), std::string(text_of(object, token_type_member))};
    }
    return std::nullopt;
}

} // namespace

Result<std::vector<Jwk>> parse_key_set(std::string_view text) {
    const auto no_key_set = [] {
        return fail(ErrorCode::invalid_request, "the key set is malformed");
    };
    if (text.size() > max_key_set_size) {
        return no_key_set();
    }
    const json::value document = TRY(parse_strict_json(text, key_set_limits));
    const json::object* object = document.if_object();
    const json::value* keys = object == nullptr ? nullptr : object->if_contains("keys");
    if (keys == nullptr || !keys->is_array() || keys->get_array().size() > most_keys) {
        return no_key_set();
    }
    std::vector<Jwk> read;
    for (const json::value& key : keys->get_array()) {
        if (!key.is_object()) {
            return no_key_set();
        }
        if (auto known = read_key(key.get_object())) {
            read.push_back(*std::move(known));
        }
    }
    return read;
}

} // namespace claviger
