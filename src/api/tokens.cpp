// SPDX-License-Identifier: Apache-2.0
// The token endpoints: six addresses, one implementation (auth/grants). They differ in how the
// request is spelled, how the answer is spelled, and how bad credentials are answered. Here are
// those of the contract's own form; api/form_tokens.cpp has those of RFC 6749.
#include <optional>
#include <string>

#include "api/resources.h"
#include "api/token_grants.h"

namespace claviger {
namespace {

// --- POST /api/v1/token -------------------------------------------------------------------------

struct TokenRequest {
    std::optional<std::string_view> grant_type, client_id, client_secret, app_id, app_secret,
        username, password, refresh_token, code, redirect_uri, external_token, scope, resource,
        scope_type, scope_id;
    std::optional<LifetimeText> lifetime_seconds;
};
BOOST_DESCRIBE_STRUCT(TokenRequest, (),
                      (grant_type, client_id, client_secret, app_id, app_secret, username, password,
                       refresh_token, code, redirect_uri, external_token, scope, resource,
                       scope_type, scope_id, lifetime_seconds))

/// Only users get `id_token` and `refresh_token`; `scope` is there when the request named some.
struct TokenResponse {
    std::string access_token;
    std::int64_t expires_in = 0;
    std::optional<std::string> id_token, refresh_token, scope;
};
BOOST_DESCRIBE_STRUCT(TokenResponse, (), (access_token, expires_in, id_token, refresh_token, scope))

TokenResponse token_response(GrantedTokens tokens) {
    TokenResponse response{std::move(tokens.access_token), tokens.expires_in, {}, {}, {}};
    response.scope = text_or_nothing(std::move(tokens.scope));
    if (tokens.session) {
        response.id_token = text_or_nothing(std::move(tokens.id_token));
        response.refresh_token = std::move(tokens.session->refresh_token);
    }
    return response;
}

/// The pair in either of its two spellings; two different pairs are refused.
Result<Credentials> client_of(const TokenRequest& request) {
    const auto same_or_absent = [](const auto& a, const auto& b) {
        return !a || !b || constant_time_equal(*a, *b);
    };
    if (!same_or_absent(request.client_id, request.app_id) ||
        !same_or_absent(request.client_secret, request.app_secret)) {
        return fail(ErrorCode::invalid_request, "two different credentials in one request");
    }
    const auto& id = request.client_id ? request.client_id : request.app_id;
    const auto& secret = request.client_secret ? request.client_secret : request.app_secret;
    if (!id || !secret || id->empty() || secret->empty()) {
        return fail(ErrorCode::invalid_request,
                    "Required parameter is missing: clientId and clientSecret");
    }
    return Credentials{*id, *secret};
}

Result<GrantedTokens> grant_v1(Context& context, const TokenRequest& request) {
    const std::string_view grant = request.grant_type.value_or("");
    if (grant.empty()) {
        return fail(ErrorCode::invalid_request, "Required parameter is missing: grantType");
    }
    GrantOptions options;
    options.narrowing = TRY(narrowing_of(context, request));
    if (grant == grant_type::client_credentials || grant == grant_type::app_token) {
        const Credentials client = TRY(client_of(request));
        return grant_to_client(context, client, std::move(options));
    }
    if (grant == grant_type::password) {
        if (!request.username || !request.password) {
            return fail(ErrorCode::invalid_request,
                        "Required parameter is missing: username and password");
        }
        return grant_to_user(context,
                             {*request.username, *request.password, request.client_id.value_or("")},
                             std::move(options));
    }
    if (grant == grant_type::refresh_token) {
        if (!request.refresh_token) {
            return fail(ErrorCode::invalid_request, "Required parameter is missing: refreshToken");
        }
        return grant_to_session(context, {*request.refresh_token, request.client_id.value_or("")},
                                std::move(options));
    }
    return fail(ErrorCode::unsupported_grant_type, "The grant type is not supported.");
}

Result<TokenResponse> create_token(Context& context, const TokenRequest& request) {
    GrantedTokens tokens = TRY(grant_v1(context, request));
    return token_response(std::move(tokens));
}

// --- POST /v1/k8s/auth/oauth/tokens/refresh -----------------------------------------------------

/// In the query, as old clients send it.
struct RefreshTokenRequest {
    std::string_view refresh_token;
    std::optional<std::string_view> scope, resource, scope_type, scope_id;
    std::optional<LifetimeText> lifetime_seconds;
    using WireNames = SnakeCase;
};
BOOST_DESCRIBE_STRUCT(RefreshTokenRequest, (),
                      (refresh_token, scope, resource, scope_type, scope_id, lifetime_seconds))

Result<TokenResponse> refresh_token(Context& context, const RefreshTokenRequest& request) {
    GrantOptions options;
    options.narrowing = TRY(narrowing_of(context, request));
    GrantedTokens tokens =
        TRY(grant_to_session(context, {request.refresh_token, {}}, std::move(options)));
    return token_response(std::move(tokens));
}

// --- POST /v1/k8s/auth/oauth/apptoken -----------------------------------------------------------

struct AppTokenRequest {
    std::string_view id, name, secret;
    std::optional<std::string_view> scope, resource, scope_type, scope_id;
    std::optional<LifetimeText> lifetime_seconds;
};
BOOST_DESCRIBE_STRUCT(AppTokenRequest, (),
                      (id, name, secret, scope, resource, scope_type, scope_id, lifetime_seconds))

struct AppTokenResponse {
    using WireNames = SnakeCase;
    std::string access_token;
    std::optional<std::string> id_token, scope; // the one unless narrowed, the other if so
};
BOOST_DESCRIBE_STRUCT(AppTokenResponse, (), (access_token, id_token, scope))

Result<AppTokenResponse> create_app_token(Context& context, const AppTokenRequest& request) {
    // The id may be the account's id or its client id; all three members must agree.
    const AccountEntry* account = context.state().accounts.find_by_name(request.name);
    const bool agrees =
        request.id == request.name || (account != nullptr && request.id == account->id.text());
    // A mismatch is judged as a wrong secret, with the same work and the same answer.
    const Credentials client{request.name, agrees ? request.secret : std::string_view()};
    GrantOptions options{IssuerKind::root, true};
    options.narrowing = TRY(narrowing_of(context, request));
    GrantedTokens tokens = TRY(grant_to_client(context, client, std::move(options)));
    return AppTokenResponse{std::move(tokens.access_token),
                            text_or_nothing(std::move(tokens.id_token)),
                            text_or_nothing(std::move(tokens.scope))};
}

} // namespace

Routes token_routes() {
    return {
        route<create_token>({.method = HttpMethod::post,
                             .path = "/api/v1/token",
                             .id = "createToken",
                             .tag = "tokens",
                             .summary = "Get a token for a service account or a local user",
                             .access = Access::anyone(),
                             .runs_on = RunsOn::inline_thread,
                             .worker_words = grants_for_workers,
                             .request_class = RequestClass::token,
                             .body = BodyForm::json_or_form,
                             .max_body = largest_token_request,
                             .max_members = 64}),
        route<create_app_token>({.method = HttpMethod::post,
                                 .path = "/v1/k8s/auth/oauth/apptoken",
                                 .id = "createAppToken",
                                 .tag = "tokens",
                                 .summary = "Get a token and an id token (deprecated spelling)",
                                 .access = Access::anyone(),
                                 .runs_on = RunsOn::inline_thread,
                                 .request_class = RequestClass::token,
                                 .max_body = largest_token_request,
                                 .max_members = 64}),
        route<refresh_token>({.method = HttpMethod::post,
                              .path = "/v1/k8s/auth/oauth/tokens/refresh",
                              .id = "refreshToken",
                              .tag = "tokens",
                              .summary = "Get tokens for a refresh token (deprecated spelling)",
                              .access = Access::anyone(),
                              .request_class = RequestClass::token,
                              .body = BodyForm::none,
                              .deprecated = true}),
    };
}

} // namespace claviger
