// SPDX-License-Identifier: Apache-2.0
// The token endpoints that take a form (RFC 6749); see api/tokens.cpp.
#include <algorithm>
#include <optional>
#include <string>

#include "api/client_authentication.h"
#include "api/parameters.h"
#include "api/resources.h"
#include "api/token_grants.h"

namespace claviger {
namespace {

struct FormTokenRequest {
    using WireNames = SnakeCase;
    std::optional<std::string_view> grant_type, client_id, client_secret, username, password,
        refresh_token, code, redirect_uri, external_token, scope, resource, scope_type, scope_id,
        client_assertion, client_assertion_type;
    std::optional<LifetimeText> lifetime_seconds;
};
BOOST_DESCRIBE_STRUCT(FormTokenRequest, (),
                      (grant_type, client_id, client_secret, username, password, refresh_token,
                       code, redirect_uri, external_token, scope, resource, scope_type, scope_id,
                       client_assertion, client_assertion_type, lifetime_seconds))

/// A refresh cannot ask for more than the sign-in gave (RFC 6749 6). Permissions are judged where
/// the sign-in is known.
Result<void> check_refresh_scope(std::string_view scope) {
    const auto take_word = [](std::string_view& text) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        return word;
    };
    while (!scope.empty()) {
        const std::string_view wanted = take_word(scope);
        bool known = wanted.empty() || wanted.contains(':');
        for (std::string_view all = user_scopes; !all.empty() && !known;) {
            known = take_word(all) == wanted;
        }
        if (!known) {
            return fail(ErrorCode::invalid_scope, "The scope is more than the sign-in gave.");
        }
    }
    return {};
}

Result<GrantedTokens> grant_form(Context& context, const FormTokenRequest& request,
                                 GrantOptions options) {
    const std::string_view grant = request.grant_type.value_or("");
    if (grant.empty()) {
        return fail(ErrorCode::invalid_request, "grant_type is missing");
    }
    options.narrowing = TRY(narrowing_of(context, request));
    if (grant == grant_type::client_credentials) {
        std::optional<BasicCredentials> basic;
        const Credentials client = TRY(client_of(
            context,
            {request.client_id, request.client_secret,
             request.client_assertion.has_value() || request.client_assertion_type.has_value()},
            basic));
        return grant_to_client(context, client, std::move(options));
    }
    if (grant == grant_type::password) {
        if (!request.username || !request.password) {
            return fail(ErrorCode::invalid_request, "username or password is missing");
        }
        return grant_to_user(context,
                             {*request.username, *request.password, request.client_id.value_or("")},
                             std::move(options));
    }
    if (grant == grant_type::refresh_token) {
        if (!request.refresh_token) {
            return fail(ErrorCode::invalid_request, "refresh_token is missing");
        }
        TRY(check_refresh_scope(request.scope.value_or("")));
        return grant_to_session(context, {*request.refresh_token, request.client_id.value_or("")},
                                std::move(options));
    }
    if (grant == "authorization_code") {
        return fail(ErrorCode::unauthorized_client, "This client may not use this grant.");
    }
    return fail(ErrorCode::unsupported_grant_type, "The grant type is not supported.");
}

/// Only users get `refresh_token` and `id_token`; `scope` as well, unless the request narrowed.
struct OAuth2TokenResponse {
    using WireNames = SnakeCase;
    std::string access_token;
    std::string token_type = "Bearer";
    std::int64_t expires_in = 0;
    std::optional<std::string> refresh_token, id_token, scope;
};
BOOST_DESCRIBE_STRUCT(OAuth2TokenResponse, (),
                      (access_token, token_type, expires_in, refresh_token, id_token, scope))

Result<OAuth2TokenResponse> create_oauth_token(Context& context, const FormTokenRequest& request) {
    GrantedTokens tokens = TRY(grant_form(context, request, {}));
    OAuth2TokenResponse response;
    response.access_token = std::move(tokens.access_token);
    response.expires_in = tokens.expires_in;
    if (tokens.session) {
        response.refresh_token = std::move(tokens.session->refresh_token);
        response.scope =
            tokens.id_token.empty() ? std::nullopt : std::optional(std::string(user_scopes));
        response.id_token = text_or_nothing(std::move(tokens.id_token));
    }
    if (!tokens.scope.empty()) {
        response.scope = std::move(tokens.scope);
    }
    return response;
}

struct RealmTokenRequest : FormTokenRequest {
    using WireNames = SnakeCase;
    std::string_view realm;
};
BOOST_DESCRIBE_STRUCT(RealmTokenRequest, (),
                      (grant_type, client_id, client_secret, username, password, refresh_token,
                       code, redirect_uri, external_token, scope, resource, scope_type, scope_id,
                       client_assertion, client_assertion_type, lifetime_seconds, realm))

/// As Keycloak shapes it, which had this address; the optional members are those of users.
struct RealmTokenResponse {
    using WireNames = SnakeCase;
    static constexpr std::string_view spelled(std::string_view member) {
        return member == "not_before_policy" ? "not-before-policy" : member;
    }
    std::string access_token;
    std::int64_t expires_in = 0;
    std::optional<std::int64_t> refresh_expires_in;
    std::optional<std::string> refresh_token;
    std::string token_type = "Bearer";
    std::optional<std::string> id_token; // unless the request narrowed
    std::optional<std::int64_t> not_before_policy;
    std::optional<Uuid> session_state;
    std::optional<std::string> scope = "openid";
};
BOOST_DESCRIBE_STRUCT(RealmTokenResponse, (),
                      (access_token, expires_in, refresh_expires_in, refresh_token, token_type,
                       id_token, not_before_policy, session_state, scope))

Result<RealmTokenResponse> create_realm_token(Context& context, const RealmTokenRequest& request) {
    if (request.realm != context.state().tenant.realm) {
        return fail(ErrorCode::not_found, "There is no such realm.");
    }
    GrantedTokens tokens = TRY(grant_form(context, request, {IssuerKind::realm, true}));
    RealmTokenResponse response;
    response.access_token = std::move(tokens.access_token);
    response.expires_in = tokens.expires_in;
    response.id_token = text_or_nothing(std::move(tokens.id_token));
    if (tokens.session) {
        response.refresh_expires_in = tokens.session->expires_in;
        response.refresh_token = std::move(tokens.session->refresh_token);
        response.not_before_policy = 0;
        response.session_state = tokens.session->id;
        response.scope = std::string(user_scopes);
    }
    if (!response.id_token) {
        response.scope = text_or_nothing(std::move(tokens.scope));
    }
    return response;
}

constexpr Operation form_operation(std::string_view path, std::string_view id,
                                   std::string_view summary, ErrorStyle errors) {
    return {.method = HttpMethod::post,
            .path = path,
            .id = id,
            .tag = "tokens",
            .summary = summary,
            .access = Access::anyone(),
            .runs_on = RunsOn::inline_thread,
            .worker_words = grants_for_workers,
            .request_class = RequestClass::token,
            .body = BodyForm::form,
            .max_body = largest_token_request,
            .max_members = 64,
            .errors = errors};
}

} // namespace

Routes form_token_routes() {
    return {
        route<create_oauth_token>(form_operation("/api/v2/token", "createTokenV2",
                                                 "Get a token by a form (RFC 6749)",
                                                 ErrorStyle::oauth)),
        route<create_oauth_token>(form_operation("/oauth2/token", "createOAuth2Token",
                                                 "Get a token by a form (RFC 6749)",
                                                 ErrorStyle::oauth)),
        route<create_realm_token>(
            form_operation("/auth/realms/{realm}/protocol/openid-connect/token", "createRealmToken",
                           "Get a token and an id token by a form, at the realm's address",
                           ErrorStyle::oauth_realm)),
    };
}

} // namespace claviger
