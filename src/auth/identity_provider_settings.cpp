// SPDX-License-Identifier: Apache-2.0
#include "auth/identity_provider_settings.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "auth/web_address.h"
#include "base/strict_json.h"
#include "base/text.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_metadata = 256 * 1024;
constexpr std::size_t longest_text = 255;
constexpr std::size_t longest_entity_id = 1024;
constexpr std::size_t longest_list = 64;

Result<void> check_text(std::string_view text, std::string_view field,
                        std::size_t longest = longest_text) {
    if (text.size() > longest || !is_printable_utf8(text)) {
        return fail(ErrorCode::invalid_request, std::string(field) + " must be at most " +
                                                    std::to_string(longest) +
                                                    " bytes of text without control characters");
    }
    return {};
}

std::unexpected<Error> missing(std::string_view field) {
    return fail(ErrorCode::invalid_request, "Required parameter is missing: " + std::string(field));
}

/// Words of letters, digits and -._: with one space between them (Appendix A).
bool is_scope(std::string_view text) {
    const auto is_word_character = [](char c) {
        const char lower = ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("-._:").contains(c);
    };
    const bool has_edges = !text.empty() && text.front() != ' ' && text.back() != ' ';
    return has_edges && text.find("  ") == std::string_view::npos &&
           std::ranges::all_of(text, [&](char c) { return c == ' ' || is_word_character(c); });
}

Result<void> check_client(const IdentityProviderSettings& settings) {
    TRY(check_text(settings.client_id, "clientId"));
    const bool scopes_are_right =
        settings.scopes.size() <= longest_list &&
        std::ranges::all_of(settings.scopes, [](const std::string& scope) {
            return scope.size() <= longest_text && is_scope(scope);
        });
    if (!scopes_are_right) {
        return fail(ErrorCode::invalid_request,
                    "scopes must be at most 64 texts of letters, digits and -._: with single "
                    "spaces between them");
    }
    return {};
}

bool has_letter(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const char lower = ascii_lower(c);
        return lower >= 'a' && lower <= 'z';
    });
}

Result<void> check_claim(const MandatoryClaim& mandatory) {
    if (mandatory.claim.empty() || mandatory.values.empty() ||
        mandatory.values.size() > longest_list) {
        return fail(ErrorCode::invalid_request, "mandatoryClaim needs a claim and 1 to 64 values");
    }
    TRY(check_text(mandatory.claim, "mandatoryClaim.claim"));
    if (!has_letter(mandatory.claim)) {
        return fail(ErrorCode::invalid_request, "mandatoryClaim.claim must hold a letter");
    }
    for (const std::string& value : mandatory.values) {
        TRY(check_text(value, "mandatoryClaim.values"));
        if (value.contains(' ') || !has_letter(value)) { // the contract's patterns
            return fail(ErrorCode::invalid_request,
                        "mandatoryClaim.values must hold a letter each, and no space");
        }
    }
    return {};
}

/// XML, or the base64 of it: nothing is read from it here.
bool is_metadata(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || text.size() > longest_metadata || !is_utf8(text)) {
        return false;
    }
    return text[first] == '<' || std::ranges::all_of(text, [](char c) {
               const char lower = ascii_lower(c);
               return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                      std::string_view("+/= \t\r\n").contains(c);
           });
}

Result<void> check_saml(const IdentityProviderSettings& settings) {
    TRY(check_text(settings.file_name, "fileName"));
    TRY(check_text(settings.entity_id, "entityId", longest_entity_id));
    if (settings.address.empty() && settings.metadata.empty()) {
        return missing("metadataXmlUrl or metadataXmlFile");
    }
    if (!settings.metadata.empty() && !is_metadata(settings.metadata)) {
        return fail(ErrorCode::invalid_request,
                    "metadataXmlFile must be XML or its base64, at most 256 KiB");
    }
    return {};
}

// --- JSON ---------------------------------------------------------------------------------------

/// Rows hold what was written here.
json::object read_object(std::string_view text) {
    const auto value = parse_strict_json(text, {});
    return value && value->is_object() ? value->get_object() : json::object();
}

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
    std::vector<std::string> texts;
    const json::value* value = object.if_contains(name);
    if (value != nullptr && value->is_array()) {
        for (const json::value& one : value->get_array()) {
            texts.emplace_back(one.is_string() ? std::string(one.get_string()) : std::string());
        }
    }
    return texts;
}

json::array array_of(const std::vector<std::string>& texts) {
    json::array array;
    for (const std::string& text : texts) {
        array.emplace_back(text);
    }
    return array;
}

using MapperMember = std::optional<std::string> IdentityProviderMappers::*;
constexpr std::array<std::pair<std::string_view, MapperMember>, 7> mapper_members{{
    {"gid", &IdentityProviderMappers::gid},
    {"uid", &IdentityProviderMappers::uid},
    {"groups", &IdentityProviderMappers::groups},
    {"supplementaryGroups", &IdentityProviderMappers::supplementary_groups},
    {"email", &IdentityProviderMappers::email},
    {"firstName", &IdentityProviderMappers::first_name},
    {"lastName", &IdentityProviderMappers::last_name},
}};

} // namespace

std::string_view address_field(IdentityProviderType type) {
    switch (type) {
    case IdentityProviderType::saml:
        return "metadataXmlUrl";
    case IdentityProviderType::openshift_v4:
        return "idpBaseUrl";
    case IdentityProviderType::oidc:
        break;
    }
    return "discoverDocumentUrl";
}

Result<void> check_settings(IdentityProviderType type, const IdentityProviderSettings& settings) {
    const bool needs_address = type != IdentityProviderType::saml;
    if (needs_address && settings.address.empty()) {
        return missing(address_field(type));
    }
    if (!settings.address.empty()) {
        TRY(check_remote_address(settings.address, address_field(type)));
    }
    if (settings.mandatory_claim) {
        TRY(check_claim(*settings.mandatory_claim));
    }
    if (type == IdentityProviderType::saml) {
        return check_saml(settings);
    }
    if (type == IdentityProviderType::oidc && settings.client_id.empty()) {
        return missing("clientId");
    }
    return check_client(settings);
}

Result<void> check_mappers(const IdentityProviderMappers& mappers) {
    for (const auto& [name, member] : mapper_members) {
        TRY(check_text((mappers.*member).value_or(""), name));
    }
    return {};
}

IdentityProviderMappers usual_mappers(IdentityProviderType type) {
    if (type == IdentityProviderType::openshift_v4) {
        return {"metadata.gid",  "metadata.uid", "groups",    "supplementarygroups",
                "metadata.name", std::nullopt,   std::nullopt};
    }
    return {"GID", "UID", "GROUPS", "SUPPLEMENTARYGROUPS", "email", "firstName", "lastName"};
}

std::string settings_text(const IdentityProviderSettings& settings) {
    json::object object{{"address", settings.address},         {"clientId", settings.client_id},
                        {"scopes", array_of(settings.scopes)}, {"metadata", settings.metadata},
                        {"fileName", settings.file_name},      {"entityId", settings.entity_id}};
    if (settings.mandatory_claim) {
        object["mandatoryClaim"] =
            json::object{{"claim", settings.mandatory_claim->claim},
                         {"values", array_of(settings.mandatory_claim->values)}};
    }
    return json::serialize(object);
}

IdentityProviderSettings settings_of(const IdentityProvider& row) {
    const json::object object = read_object(row.settings);
    IdentityProviderSettings settings;
    settings.address = text_in(object, "address");
    settings.client_id = text_in(object, "clientId");
    settings.scopes = texts_in(object, "scopes");
    settings.metadata = text_in(object, "metadata");
    settings.file_name = text_in(object, "fileName");
    settings.entity_id = text_in(object, "entityId");
    const json::value* mandatory = object.if_contains("mandatoryClaim");
    if (mandatory != nullptr && mandatory->is_object()) {
        settings.mandatory_claim = MandatoryClaim{text_in(mandatory->get_object(), "claim"),
                                                  texts_in(mandatory->get_object(), "values")};
    }
    return settings;
}

std::string mappers_text(const IdentityProviderMappers& mappers) {
    json::object object;
    for (const auto& [name, member] : mapper_members) {
        if (mappers.*member) {
            object[name] = *(mappers.*member);
        }
    }
    return json::serialize(object);
}

IdentityProviderMappers mappers_of(const IdentityProvider& row) {
    const json::object object = read_object(row.mappers);
    IdentityProviderMappers mappers;
    for (const auto& [name, member] : mapper_members) {
        if (object.contains(name)) {
            mappers.*member = text_in(object, name);
        }
    }
    return mappers;
}

} // namespace claviger
