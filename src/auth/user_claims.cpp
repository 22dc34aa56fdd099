// SPDX-License-Identifier: Apache-2.0
#include "auth/user_claims.h"

#include <boost/json.hpp>
#include <optional>

#include "base/strict_json.h"

namespace claviger {
namespace {

namespace json = boost::json;

/// A string, or a number as a string: clients of the contract read ids as strings.
std::optional<std::string> text_of(const json::value& value) {
    if (value.is_string()) {
        return std::string(value.as_string());
    }
    return value.is_int64() ? std::optional(std::to_string(value.as_int64())) : std::nullopt;
}

/// A list, or its elements joined with commas.
std::vector<std::string> list_of(const json::value& value) {
    std::vector<std::string> list;
    if (value.is_array()) {
        for (const json::value& element : value.as_array()) {
            if (auto text = text_of(element)) {
                list.push_back(*std::move(text));
            }
        }
        return list;
    }
    const std::string joined = text_of(value).value_or("");
    for (std::string_view rest = joined; !rest.empty();) {
        const std::string_view element = rest.substr(0, rest.find(','));
        list.emplace_back(element);
        rest.remove_prefix(std::min(element.size() + 1, rest.size()));
    }
    return list;
}

struct Attribute {
    std::string_view name;
    std::string_view claim;
};
constexpr std::array<Attribute, 4> text_attributes{{{"firstName", claim::given_name},
                                                    {"lastName", claim::family_name},
                                                    {"uid", claim::uid},
                                                    {"gid", claim::gid}}};

void add_attributes(JwtBuilder& builder, const json::object& attributes) {
    for (const Attribute& attribute : text_attributes) {
        const json::value* value = attributes.if_contains(attribute.name);
        const auto text = value != nullptr ? text_of(*value) : std::nullopt;
        if (text) {
            builder.add(attribute.claim, *text);
        }
    }
    if (const json::value* value = attributes.if_contains("supplementaryGroups")) {
        builder.add(claim::supplementary_groups, list_of(*value));
    }
}

} // namespace

void add_user_claims(JwtBuilder& builder, const User& user) {
    builder.add(claim::email, user.email).add(claim::preferred_username, user.email);
    if (!user.groups.empty()) {
        builder.add(claim::groups, user.groups);
    }
    // What was stored was checked then: nothing is said about attributes that cannot be read.
    const auto attributes = parse_strict_json(user.attributes, {});
    if (attributes && attributes->is_object()) {
        add_attributes(builder, attributes->as_object());
    }
}

} // namespace claviger
