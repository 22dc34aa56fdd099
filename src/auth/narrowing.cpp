// SPDX-License-Identifier: Apache-2.0
#include "auth/narrowing.h"

#include <algorithm>
#include <boost/json.hpp>

#include "access/scope_type.h"
#include "base/strict_json.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::size_t most_words = 64;
constexpr std::size_t longest_scope_id = 64;
constexpr std::string_view scope_member = "scope";
constexpr std::string_view within_member = "within";
constexpr std::string_view resource_member = "resource";
constexpr std::string_view lifetime_member = "lifetime";

std::string_view take_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
}

Result<void> check_words(std::string_view scope) {
    std::size_t count = scope.empty() ? 0 : 1;
    for (const char c : scope) { // RFC 6749 3.3
        count += c == ' ' ? 1 : 0;
        if (c < 0x20 || c > 0x7E || c == '"' || c == '\\') {
            return fail(ErrorCode::invalid_request, "scope holds characters that it may not");
        }
    }
    return count > most_words ? fail(ErrorCode::invalid_request, "more than 64 scopes")
                              : Result<void>();
}

std::optional<ScopeId> parse_scope_id(TenantId tenant, std::string_view type,
                                      std::string_view value) {
    const auto known = find_scope_type(type);
    const bool plain =
        std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
    if (!known || *known == ScopeType::system || value.empty() || !plain ||
        value.size() > longest_scope_id) {
        return std::nullopt;
    }
    return ScopeId{tenant, *known, std::string(value)};
}

std::optional<ScopeId> parse_within(TenantId tenant, std::string_view text) {
    const std::size_t colon = text.find(':');
    return colon == std::string_view::npos
               ? std::nullopt
               : parse_scope_id(tenant, text.substr(0, colon), text.substr(colon + 1));
}

} // namespace

bool is_absolute_uri(std::string_view text) {
    constexpr std::size_t longest = 255;
    const std::size_t colon = text.find(':');
    const auto is_of_scheme = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '-' || c == '.';
    };
    const auto is_plain = [](char c) { return c > ' ' && c <= '~' && c != '#' && c != ','; };
    return text.size() <= longest && colon != std::string_view::npos && colon > 0 &&
           colon + 1 < text.size() && std::ranges::all_of(text.substr(0, colon), is_of_scheme) &&
           std::ranges::all_of(text, is_plain);
}

Result<Narrowing> read_narrowing(TenantId tenant, const TokenSettings& settings,
                                 const NarrowingRequest& request) {
    TRY(check_words(request.scope));
    Narrowing narrowing;
    for (std::string_view words = request.scope; !words.empty();) {
        const std::string_view word = take_word(words);
        if (!word.contains(':')) {
            continue;
        }
        const auto permission = find_permission(word);
        if (!permission) {
            return fail(ErrorCode::invalid_scope, "The scope names an unknown permission.");
        }
        if (!narrowing.permissions) {
            narrowing.permissions.emplace();
        }
        narrowing.permissions->add(*permission);
    }
    if (!request.scope_type.empty() || !request.scope_id.empty()) {
        narrowing.scope = parse_scope_id(tenant, request.scope_type, request.scope_id);
        if (!narrowing.scope) {
            return fail(ErrorCode::invalid_scope, "There is no such scope of the tree.");
        }
    }
    if (!request.resource.empty() && request.resource != settings.audience) {
        if (std::ranges::find(settings.resources, request.resource) == settings.resources.end()) {
            return fail(ErrorCode::invalid_target, "The resource is not registered.");
        }
        narrowing.audience = request.resource;
    } else if (!request.resource.empty() && !is_absolute_uri(request.resource)) {
        return fail(ErrorCode::invalid_target, "The resource is no absolute URI.");
    }
    if (request.lifetime_seconds && *request.lifetime_seconds < 1) {
        return fail(ErrorCode::invalid_request, "the lifetime must be at least a second");
    }
    narrowing.lifetime_seconds = request.lifetime_seconds;
    return narrowing;
}

Result<Narrowing> narrow_further(const AccessSnapshot& access, const Narrowing& granted,
                                 const Narrowing& wanted) {
    Narrowing next = granted;
    if (wanted.permissions) {
        if (granted.permissions && !granted.permissions->includes(*wanted.permissions)) {
            return fail(ErrorCode::invalid_scope, "The scope is more than the sign-in gave.");
        }
        next.permissions = wanted.permissions;
    }
    if (wanted.scope) {
        const auto inner = access.find(*wanted.scope);
        const auto outer = granted.scope ? access.find(*granted.scope) : access.root();
        if (!inner || !outer || !access.is_same_or_below(*inner, *outer)) {
            return fail(ErrorCode::invalid_scope, "The scope is more than the sign-in gave.");
        }
        next.scope = wanted.scope;
    }
    if (!wanted.audience.empty()) {
        if (!granted.audience.empty() && granted.audience != wanted.audience) {
            return fail(ErrorCode::invalid_target, "The sign-in was for another resource.");
        }
        next.audience = wanted.audience;
    }
    if (wanted.lifetime_seconds) {
        next.lifetime_seconds = std::min(
            *wanted.lifetime_seconds, granted.lifetime_seconds.value_or(*wanted.lifetime_seconds));
    }
    return next;
}

std::string scope_claim(const PermissionSet& permissions) {
    std::string text;
    for (const Permission permission : permissions.list()) {
        text += (text.empty() ? "" : " ") + text_of(permission);
    }
    return text;
}

std::optional<AccessLimit> limit_of_claims(TenantId tenant, const std::optional<std::string>& scope,
                                           const std::optional<std::string>& within) {
    AccessLimit limit;
    limit.source = LimitSource::token;
    if (scope) {
        limit.permissions.emplace();
        for (std::string_view words = *scope; !words.empty();) {
            if (const auto permission = find_permission(take_word(words))) {
                limit.permissions->add(*permission);
            }
        }
    }
    if (within) {
        auto id = parse_within(tenant, *within);
        if (!id) {
            return std::nullopt;
        }
        limit.scopes.emplace().push_back(*std::move(id));
    }
    return limit;
}

std::string text_of(const Narrowing& narrowing) {
    json::object object;
    if (narrowing.permissions) {
        object[scope_member] = scope_claim(*narrowing.permissions);
    }
    if (narrowing.scope) {
        object[within_member] = text_of(*narrowing.scope);
    }
    if (!narrowing.audience.empty()) {
        object[resource_member] = narrowing.audience;
    }
    if (narrowing.lifetime_seconds) {
        object[lifetime_member] = *narrowing.lifetime_seconds;
    }
    return json::serialize(object);
}

std::optional<Narrowing> parse_narrowing(TenantId tenant, std::string_view text) {
    const auto value = parse_strict_json(text, {});
    if (!value || !value->is_object()) {
        return std::nullopt;
    }
    Narrowing narrowing;
    for (const auto& member : value->get_object()) {
        const std::string_view name = member.key();
        const json::string* words = member.value().if_string();
        if (name == lifetime_member && member.value().is_int64()) {
            narrowing.lifetime_seconds = member.value().get_int64();
        } else if (words != nullptr && name == scope_member) {
            narrowing.permissions =
                limit_of_claims(tenant, std::string(*words), std::nullopt)->permissions;
        } else if (words != nullptr && name == within_member) {
            narrowing.scope = parse_within(tenant, *words);
            if (!narrowing.scope) {
                return std::nullopt;
            }
        } else if (words != nullptr && name == resource_member) {
            narrowing.audience = *words;
        } else {
            return std::nullopt;
        }
    }
    return narrowing;
}

} // namespace claviger
