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
        username, password, refresh_token, code, redirect_uri, external_token;
};
BOOST_DESCRIBE_STRUCT(TokenRequest, (),
                      (grant_type, client_id, client_secret, app_id, app_secret, username, password,
                       refresh_token, code, redirect_uri, external_token))

/// Only users get the last two.
struct TokenResponse {
    std::string access_token;
    std::int64_t expires_in = 0;
    std::optional<std::string> id_token, refresh_token;
};
BOOST_DESCRIBE_STRUCT(TokenResponse, (), (access_token, expires_in, id_token, refresh_token))

TokenResponse token_response(GrantedTokens tokens) {
    TokenResponse response{std::move(tokens.access_token), tokens.expires_in, {}, {}};
    if (tokens.session) {
        response.id_token = std::move(tokens.id_token);
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
    if (grant == grant_type::client_credentials || grant == grant_type::app_token) {
        const Credentials client = TRY(client_of(request));
        return grant_to_client(context, client, {});
    }
    if (grant == grant_type::password) {
        if (!request.username || !request.password) {
            return fail(ErrorCode::invalid_request,
                        "Required parameter is missing: username and password");
        }
        return grant_to_user(
            context, {*request.username, *request.password, request.client_id.value_or("")}, {});
    }
    if (grant == grant_type::refresh_token) {
        if (!request.refresh_token) {
            return fail(ErrorCode::invalid_request, "Required parameter is missing: refreshToken");
        }
        return grant_to_session(context, {*request.refresh_token, request.client_id.value_or("")},
                                {});
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
    using WireNames = SnakeCase;
};
BOOST_DESCRIBE_STRUCT(RefreshTokenRequest, (), (refresh_token))

Result<TokenResponse> refresh_token(Context& context, const RefreshTokenRequest& request) {
    GrantedTokens tokens = TRY(grant_to_session(context, {request.refresh_token, {}}, {}));
    return token_response(std::move(tokens));
}

// --- POST /v1/k8s/auth/oauth/apptoken -----------------------------------------------------------

struct AppTokenRequest {
    std::string_view id, name, secret;
};
BOOST_DESCRIBE_STRUCT(AppTokenRequest, (), (id, name, secret))

struct AppTokenResponse {
    using WireNames = SnakeCase;
    std::string access_token, id_token;
};
BOOST_DESCRIBE_STRUCT(AppTokenResponse, (), (access_token, id_token))

Result<AppTokenResponse> create_app_token(Context& context, const AppTokenRequest& request) {
    // The id may be the account's id or its client id; all three members must agree.
    const AccountEntry* account = context.state().accounts.find_by_name(request.name);
    const bool agrees =
        request.id == request.name || (account != nullptr && request.id == account->id.text());
    // A mismatch is judged as a wrong secret, with the same work and the same answer.
    const Credentials client{request.name, agrees ? request.secret : std::string_view()};
    GrantedTokens tokens = TRY(grant_to_client(context, client, {IssuerKind::root, true}));
    return AppTokenResponse{std::move(tokens.access_token), std::move(tokens.id_token)};
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
