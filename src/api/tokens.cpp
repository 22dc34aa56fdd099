// SPDX-License-Identifier: Apache-2.0
// The token endpoints: five addresses, one implementation (auth/grants). They differ in how the
// request is spelled, how the answer is spelled, and how bad credentials are answered.
#include <optional>
#include <string>

#include "api/parameters.h"
#include "api/resources.h"
#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t largest_token_request = 64 * 1024; // bytes
constexpr std::size_t longest_credential = 1024;         // bytes
constexpr std::size_t most_scopes = 64;

/// A credential pair as sent, empty where nothing was; where it was sent, it stands.
struct Credentials {
    std::string_view id;
    std::string_view secret;
};

Result<void> check_length(std::string_view text) {
    if (text.size() > longest_credential) {
        return fail(ErrorCode::invalid_request, "a credential is longer than 1024 bytes");
    }
    return {};
}

Result<GrantedTokens> take(Context& context, GrantOutcome outcome) {
    context.ticket = outcome.ticket;
    context.retry_after_seconds = outcome.retry_after_seconds;
    return std::move(outcome.result);
}

Result<GrantedTokens> grant_to_client(Context& context, const Credentials& client,
                                      GrantOptions options) {
    TRY(check_length(client.id));
    TRY(check_length(client.secret));
    return take(context,
                context.services.grants.client_credentials(
                    context.state(), client.id, client.secret, context.caller.origin, options));
}

Result<GrantedTokens> grant_to_user(Context& context, std::string_view username,
                                    std::string_view password, GrantOptions options) {
    if (!context.services.settings.password_grant) {
        return fail(ErrorCode::unsupported_grant_type, "The password grant is switched off.");
    }
    TRY(check_length(username));
    TRY(check_length(password));
    return take(context, context.services.grants.password(context.state(), username, password,
                                                          context.caller.origin, options));
}

// --- POST /api/v1/token -------------------------------------------------------------------------

struct TokenRequest {
    std::optional<std::string_view> grant_type, client_id, client_secret, app_id, app_secret,
        username, password, refresh_token, code, redirect_uri, external_token;
};
BOOST_DESCRIBE_STRUCT(TokenRequest, (),
                      (grant_type, client_id, client_secret, app_id, app_secret, username, password,
                       refresh_token, code, redirect_uri, external_token))

struct TokenResponse {
    std::string access_token;
    std::int64_t expires_in = 0;
};
BOOST_DESCRIBE_STRUCT(TokenResponse, (), (access_token, expires_in))

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
        return grant_to_user(context, *request.username, *request.password, {});
    }
    return fail(ErrorCode::unsupported_grant_type, "The grant type is not supported.");
}

Result<TokenResponse> create_token(Context& context, const TokenRequest& request) {
    GrantedTokens tokens = TRY(grant_v1(context, request));
    return TokenResponse{std::move(tokens.access_token), tokens.expires_in};
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

// --- the form endpoints (RFC 6749) --------------------------------------------------------------

struct FormTokenRequest {
    using WireNames = SnakeCase;
    std::optional<std::string_view> grant_type, client_id, client_secret, username, password,
        refresh_token, code, redirect_uri, external_token, scope, resource, client_assertion,
        client_assertion_type;
};
BOOST_DESCRIBE_STRUCT(FormTokenRequest, (),
                      (grant_type, client_id, client_secret, username, password, refresh_token,
                       code, redirect_uri, external_token, scope, resource, client_assertion,
                       client_assertion_type))

struct BasicCredentials {
    std::string id;
    std::string secret;
};

/// Client authentication from the header, if it is of the Basic scheme (RFC 6749 2.3.1).
Result<std::optional<BasicCredentials>> basic_credentials(const Context& context) {
    const auto& header = context.request.authorization;
    const bool basic =
        header && (ascii_iequal(header->substr(0, 6), "Basic ") || ascii_iequal(*header, "Basic"));
    if (!basic) {
        return std::optional<BasicCredentials>();
    }
    const auto refused = [] {
        return fail(ErrorCode::invalid_client, "The client authentication is malformed.");
    };
    const auto decoded =
        decode_base64(std::string_view(*header).substr(std::min<std::size_t>(header->size(), 6)));
    if (!decoded) {
        return refused();
    }
    const std::string_view pair = as_text(*decoded);
    const std::size_t colon = pair.find(':');
    if (colon == std::string_view::npos) {
        return refused();
    }
    auto id = decode_form_text(pair.substr(0, colon));
    auto secret = decode_form_text(pair.substr(colon + 1));
    if (!id || !secret) {
        return refused();
    }
    return std::optional(BasicCredentials{*std::move(id), *std::move(secret)});
}

/// `basic` keeps what the header held.
Result<Credentials> client_of(const Context& context, const FormTokenRequest& request,
                              std::optional<BasicCredentials>& basic) {
    if (request.client_assertion || request.client_assertion_type) {
        if (request.client_secret || context.request.authorization) {
            return fail(ErrorCode::invalid_request, "two client authentication methods");
        }
        return fail(ErrorCode::invalid_client, "Client assertions are not supported.");
    }
    basic = TRY(basic_credentials(context));
    if (!basic) {
        if (!request.client_id || !request.client_secret) {
            return fail(ErrorCode::invalid_client, "Client authentication is missing.");
        }
        return Credentials{*request.client_id, *request.client_secret};
    }
    const bool other_id = request.client_id && *request.client_id != basic->id;
    if (request.client_secret || other_id) {
        return fail(ErrorCode::invalid_request, "two client authentication methods");
    }
    return Credentials{basic->id, basic->secret};
}

/// What may be asked of every form endpoint besides the credentials.
Result<void> check_wishes(const FormTokenRequest& request) {
    if (request.resource) {
        return fail(ErrorCode::invalid_target, "The resource is not registered.");
    }
    const std::string_view scope = request.scope.value_or("");
    std::size_t count = scope.empty() ? 0 : 1;
    for (const char c : scope) { // RFC 6749 3.3
        count += c == ' ' ? 1 : 0;
        if (c < 0x20 || c > 0x7E || c == '"' || c == '\\') {
            return fail(ErrorCode::invalid_request, "scope holds characters that it may not");
        }
    }
    if (count > most_scopes) {
        return fail(ErrorCode::invalid_request, "more than 64 scopes");
    }
    return {};
}

Result<GrantedTokens> grant_form(Context& context, const FormTokenRequest& request,
                                 GrantOptions options) {
    const std::string_view grant = request.grant_type.value_or("");
    if (grant.empty()) {
        return fail(ErrorCode::invalid_request, "grant_type is missing");
    }
    TRY(check_wishes(request));
    if (grant == grant_type::client_credentials) {
        std::optional<BasicCredentials> basic;
        const Credentials client = TRY(client_of(context, request, basic));
        return grant_to_client(context, client, options);
    }
    if (grant == grant_type::password) {
        if (!request.username || !request.password) {
            return fail(ErrorCode::invalid_request, "username or password is missing");
        }
        return grant_to_user(context, *request.username, *request.password, options);
    }
    if (grant == "authorization_code") {
        return fail(ErrorCode::unauthorized_client, "This client may not use this grant.");
    }
    return fail(ErrorCode::unsupported_grant_type, "The grant type is not supported.");
}

struct OAuth2TokenResponse {
    using WireNames = SnakeCase;
    std::string access_token;
    std::string token_type = "Bearer";
    std::int64_t expires_in = 0;
};
BOOST_DESCRIBE_STRUCT(OAuth2TokenResponse, (), (access_token, token_type, expires_in))

Result<OAuth2TokenResponse> create_oauth_token(Context& context, const FormTokenRequest& request) {
    GrantedTokens tokens = TRY(grant_form(context, request, {}));
    return OAuth2TokenResponse{std::move(tokens.access_token), "Bearer", tokens.expires_in};
}

struct RealmTokenRequest : FormTokenRequest {
    using WireNames = SnakeCase;
    std::string_view realm;
};
BOOST_DESCRIBE_STRUCT(RealmTokenRequest, (),
                      (grant_type, client_id, client_secret, username, password, refresh_token,
                       code, redirect_uri, external_token, scope, resource, client_assertion,
                       client_assertion_type, realm))

struct RealmTokenResponse {
    using WireNames = SnakeCase;
    std::string access_token;
    std::int64_t expires_in = 0;
    std::string token_type = "Bearer";
    std::string id_token;
    std::string scope = "openid";
};
BOOST_DESCRIBE_STRUCT(RealmTokenResponse, (),
                      (access_token, expires_in, token_type, id_token, scope))

Result<RealmTokenResponse> create_realm_token(Context& context, const RealmTokenRequest& request) {
    if (request.realm != context.state().tenant.realm) {
        return fail(ErrorCode::not_found, "There is no such realm.");
    }
    GrantedTokens tokens = TRY(grant_form(context, request, {IssuerKind::realm, true}));
    return RealmTokenResponse{std::move(tokens.access_token), tokens.expires_in, "Bearer",
                              std::move(tokens.id_token), "openid"};
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
            .worker_word = "password",
            .request_class = RequestClass::token,
            .body = BodyForm::form,
            .max_body = largest_token_request,
            .max_members = 64,
            .errors = errors};
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
                             .worker_word = "password",
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
