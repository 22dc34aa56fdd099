// SPDX-License-Identifier: Apache-2.0
#include "auth/credential_limits.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "access/scope_type.h"
#include "base/strict_json.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 2> address_modes{"enforced", "log-only"};

std::unexpected<Error> malformed(std::string why) {
    return fail(ErrorCode::invalid_request, "limits: " + std::move(why));
}

/// Refuses members that nobody would read: a limit that is misspelt must not be lost.
Result<void> check_members(const json::object& object,
                           std::initializer_list<std::string_view> known) {
    for (const auto& member : object) {
        if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
            return malformed("there is no member " + std::string(member.key()));
        }
    }
    return {};
}

/// Null when the member is absent.
Result<const json::array*> find_list(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr) {
        return nullptr;
    }
    const json::array* list = value->if_array();
    if (list == nullptr || list->size() > most_limit_entries) {
        return malformed(std::string(name) + " must be a list of at most 64");
    }
    return list;
}

Result<ScopeId> parse_scope(TenantId tenant, const json::value& value) {
    const json::object* object = value.if_object();
    const json::value* type = object == nullptr ? nullptr : object->if_contains("scopeType");
    const json::value* id = object == nullptr ? nullptr : object->if_contains("scopeId");
    const auto known =
        type != nullptr && type->is_string() ? find_scope_type(type->get_string()) : std::nullopt;
    if (!known || id == nullptr || !id->is_string()) {
        return malformed("an element of scopes must have scopeType and scopeId");
    }
    TRY(check_members(*object, {"scopeType", "scopeId"}));
    return ScopeId{tenant, *known, std::string(id->get_string())};
}

Result<AccessLimit> parse_ceiling(TenantId tenant, const json::object& object) {
    TRY(check_members(object, {"roleIds", "permissions", "scopes"}));
    AccessLimit limit;
    if (const json::array* permissions = TRY(find_list(object, "permissions"))) {
        limit.permissions.emplace();
        for (const json::value& value : *permissions) {
            const auto permission =
                value.is_string() ? find_permission(value.get_string()) : std::nullopt;
            if (!permission) {
                return malformed("an element of permissions is no permission");
            }
            limit.permissions->add(*permission);
        }
    }
    if (const json::array* roles = TRY(find_list(object, "roleIds"))) {
        if (!limit.permissions) {
            limit.permissions.emplace(); // so that an empty list of roles permits nothing
        }
        for (const json::value& value : *roles) {
            const auto number = json::try_value_to<std::int32_t>(value);
            if (!number) {
                return malformed("an element of roleIds is no role id");
            }
            limit.roles.push_back(*number);
        }
    }
    if (const json::array* scopes = TRY(find_list(object, "scopes"))) {
        limit.scopes.emplace();
        for (const json::value& value : *scopes) {
            ScopeId id = TRY(parse_scope(tenant, value));
            limit.scopes->push_back(std::move(id));
        }
    }
    return limit;
}

Result<void> parse_addresses(const json::object& object, CredentialLimits& limits) {
    if (const json::array* addresses = TRY(find_list(object, "addresses"))) {
        limits.addresses.emplace();
        for (const json::value& value : *addresses) {
            if (!value.is_string() || !limits.addresses->add(value.get_string())) {
                return malformed("an element of addresses is neither an address nor a network "
                                 "such as 10.0.0.0/8 or 2001:db8::/32");
            }
        }
    }
    if (const json::value* mode = object.if_contains("addressMode")) {
        const auto at = std::ranges::find(
            address_modes, mode->is_string() ? std::string_view(mode->get_string()) : "");
        if (at == address_modes.end()) {
            return malformed("addressMode must be enforced or log-only");
        }
        limits.address_mode = static_cast<AddressMode>(at - address_modes.begin());
    }
    return {};
}

bool is_enforced(const CredentialLimits* limits) {
    return limits != nullptr && limits->addresses && limits->address_mode == AddressMode::enforced;
}

} // namespace

std::string_view name_of(AddressMode mode) {
    return address_modes[static_cast<std::size_t>(mode)];
}

Result<CredentialLimits> parse_limits(TenantId tenant, std::string_view text) {
    const json::value value = TRY(parse_strict_json(text, {}));
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return malformed("must be an object");
    }
    TRY(check_members(*object, {"expiresAt", "addresses", "addressMode", "ceiling", "honey"}));
    CredentialLimits limits;
    if (const json::value* at = object->if_contains("expiresAt")) {
        limits.expires_at = at->is_string() ? parse_rfc3339(at->get_string()) : std::nullopt;
        if (!limits.expires_at) {
            return malformed("expiresAt must be an RFC 3339 time");
        }
    }
    TRY(parse_addresses(*object, limits));
    if (const json::value* honey = object->if_contains("honey")) {
        if (!honey->is_bool()) {
            return malformed("honey must be true or false");
        }
        limits.is_honey = honey->get_bool();
    }
    if (const json::value* ceiling = object->if_contains("ceiling")) {
        if (!ceiling->is_object()) {
            return malformed("ceiling must be an object");
        }
        limits.ceiling = TRY(parse_ceiling(tenant, ceiling->get_object()));
    }
    limits.text = text;
    return limits;
}

Result<void> check_names(const AccessSnapshot& access, const CredentialLimits& limits) {
    if (!limits.ceiling) {
        return {};
    }
    for (const std::int32_t role : limits.ceiling->roles) {
        if (access.permissions_of_role(role) == nullptr) {
            return malformed("no role has the id " + std::to_string(role));
        }
    }
    for (const ScopeId& id : limits.ceiling->scopes.value_or(std::vector<ScopeId>())) {
        if (!access.find(id)) {
            return malformed("no " + std::string(name_of(id.type)) + " has the id " + id.value);
        }
    }
    return {};
}

Result<CredentialLimits> parse_new_limits(const AccessSnapshot& access, std::string_view text,
                                          Timestamp now) {
    CredentialLimits limits = TRY(parse_limits(access.tenant(), text));
    TRY(check_names(access, limits));
    if (limits.expires_at && *limits.expires_at <= now) {
        return malformed("expiresAt has passed already");
    }
    return limits;
}

LimitsPointer read_limits(TenantId tenant, std::string_view text) {
    if (text == no_limits) {
        return nullptr;
    }
    auto limits = parse_limits(tenant, text);
    if (!limits) {
        limits = CredentialLimits{std::string(text), Timestamp{0}};
    }
    return std::make_shared<const CredentialLimits>(*std::move(limits));
}

bool leaves_nothing(const CredentialLimits& limits, Timestamp now) {
    return limits.is_honey || (limits.expires_at && *limits.expires_at <= now);
}

std::optional<std::string> excess_of_use(const CredentialLimits* outer,
                                         const CredentialLimits* inner) {
    if (outer == nullptr) {
        return std::nullopt;
    }
    if (outer->is_honey && (inner == nullptr || !inner->is_honey)) {
        return "any use";
    }
    if (outer->expires_at &&
        (inner == nullptr || !inner->expires_at || *inner->expires_at > *outer->expires_at)) {
        return "use after " + format_rfc3339(*outer->expires_at);
    }
    if (is_enforced(outer) &&
        (!is_enforced(inner) || !outer->addresses->includes(*inner->addresses))) {
        return "use from other addresses";
    }
    return std::nullopt;
}

std::optional<std::string> excess_over(const AccessSnapshot& access, const CredentialLimits* outer,
                                       const CredentialLimits* inner) {
    auto excess = excess_of_use(outer, inner);
    if (excess || outer == nullptr || !outer->ceiling) {
        return excess;
    }
    const bool has_ceiling = inner != nullptr && inner->ceiling;
    return excess_over(access, *outer->ceiling, has_ceiling ? &*inner->ceiling : nullptr);
}

} // namespace claviger
