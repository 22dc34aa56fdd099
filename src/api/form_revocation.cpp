// SPDX-License-Identifier: Apache-2.0
// Revocation (RFC 7009) and introspection (RFC 7662). Both go through the verification that every
// use of a token takes: what is refused there is "unknown" here.
#include "api/client_authentication.h"
#include "api/resources.h"
#include "auth/eligible.h"

namespace claviger {
namespace {

struct RevokeRequest {
    using WireNames = SnakeCase;
    std::optional<std::string_view> token, token_type_hint, client_id, client_secret,
        client_assertion, client_assertion_type;
};
BOOST_DESCRIBE_STRUCT(RevokeRequest, (),
                      (token, token_type_hint, client_id, client_secret, client_assertion,
                       client_assertion_type))

ClientFields client_fields(const RevokeRequest& request) {
    return {request.client_id, request.client_secret,
            request.client_assertion || request.client_assertion_type};
}

Result<std::string_view> token_of(const RevokeRequest& request) {
    if (!request.token || request.token->empty()) {
        return fail(ErrorCode::invalid_request, "token is missing");
    }
    return *request.token;
}

std::unexpected<Error> not_its_own() {
    return fail(ErrorCode::unauthorized_client, "The token was issued to another client.");
}

bool authenticates(const Context& context, const RevokeRequest& request) {
    const auto& header = context.request.authorization;
    return request.client_secret || request.client_assertion || request.client_assertion_type ||
           (header && is_basic(*header));
}

/// As with its refreshing, who holds a refresh token of a public client needs no secret.
Result<void> revoke_session(Context& context, const RevokeRequest& request,
                            const Session& session) {
    if (authenticates(context, request)) {
        TRY(authenticate_client(context, client_fields(request)));
        return not_its_own(); // a client with a secret gets no refresh tokens
    }
    if (request.client_id && public_client(*request.client_id) != session.client_id) {
        return not_its_own();
    }
    const User* user = context.state().users.find(session.user);
    if (user != nullptr) {
        context.caller.principal = {PrincipalKind::user, user->id.value, user->email};
    }
    return context.services.revocations.end_session(context.caller, session);
}

Result<Empty> revoke_token(Context& context, const RevokeRequest& request) {
    const std::string_view token = TRY(token_of(request));
    Revocations& revocations = context.services.revocations;
    if (const Session* session = revocations.find_session(context.state(), token)) {
        TRY(revoke_session(context, request, *session));
        return Empty{};
    }
    context.caller.principal = TRY(authenticate_client(context, client_fields(request)));
    const auto owner = context.services.verifier.verify(
        context.state(), token, AcceptedTokens::access_and_id_tokens, asked_from_anywhere);
    if (!owner) {
        return Empty{}; // RFC 7009 2.2: there is nothing to end
    }
    const Principal& client = context.caller.principal;
    if (owner->kind != client.kind || owner->id != client.id ||
        owner->access_key != client.access_key) {
        return not_its_own();
    }
    const ParsedJwt jwt = TRY(parse_jwt(token));
    TRY(revocations.end_token(
        context.caller,
        {jwt.token_id, Timestamp::from_seconds(jwt.expires_at.value_or(0)), owner->name}));
    return Empty{};
}

/// Only `active` when the token is not.
struct IntrospectionResponse {
    using WireNames = SnakeCase;
    bool active = false;
    std::optional<std::string> client_id, username;
    std::optional<std::string_view> token_type;
    std::optional<std::int64_t> exp, iat;
    std::optional<std::string> sub;
    std::optional<std::vector<std::string>> aud;
    std::optional<std::string> iss, jti, sid, scope, within;
    std::optional<std::int64_t> tenant;
};
BOOST_DESCRIBE_STRUCT(IntrospectionResponse, (),
                      (active, client_id, username, token_type, exp, iat, sub, aud, iss, jti, sid,
                       scope, within, tenant))

/// Who asks: by a bearer token, or as a client.
Result<Principal> find_asker(Context& context, const RevokeRequest& request) {
    const auto& header = context.request.authorization;
    constexpr std::string_view bearer = "Bearer ";
    if (!header || !ascii_iequal(std::string_view(*header).substr(0, bearer.size()), bearer)) {
        return authenticate_client(context, client_fields(request));
    }
    const auto token = std::string_view(*header).substr(bearer.size());
    auto asker = context.services.verifier.verify(
        context.state(), token, AcceptedTokens::access_tokens, context.request.source_ip);
    if (!asker) {
        context.refusal = std::move(asker).error();
        return fail(ErrorCode::invalid_client, "The bearer token is not valid.");
    }
    return *std::move(asker);
}

/// Whoever may follow the revocations may ask about every token; everybody about their own.
bool may_see(Context& context, const Principal& owner) {
    const Principal& asker = context.caller.principal;
    const bool is_own = owner.kind == asker.kind && owner.id == asker.id;
    return is_own || authorise(context, verifier_access, std::nullopt).has_value();
}

Result<IntrospectionResponse> introspect_token(Context& context, const RevokeRequest& request) {
    const std::string_view token = TRY(token_of(request));
    context.caller.principal = TRY(find_asker(context, request));
    const auto owner = context.services.verifier.verify(
        context.state(), token, AcceptedTokens::access_tokens, asked_from_anywhere);
    if (!owner || !may_see(context, *owner)) {
        return IntrospectionResponse{};
    }
    ParsedJwt jwt = TRY(parse_jwt(token));
    IntrospectionResponse response;
    response.active = true;
    response.client_id = std::move(jwt.client_id);
    response.username = owner->name;
    response.token_type = "Bearer";
    response.exp = jwt.expires_at;
    response.iat = jwt.issued_at;
    response.sub = std::move(jwt.subject);
    response.aud = std::move(jwt.audience);
    response.iss = std::move(jwt.issuer);
    response.jti = std::move(jwt.token_id);
    if (!jwt.session.empty()) {
        response.sid = std::move(jwt.session);
    }
    response.scope = std::move(jwt.scope);
    response.within = std::move(jwt.within);
    response.tenant = jwt.tenant;
    return response;
}

constexpr Operation form_operation(std::string_view path, std::string_view id,
                                   std::string_view summary, RunsOn runs_on) {
    return {.method = HttpMethod::post,
            .path = path,
            .id = id,
            .tag = "tokens",
            .summary = summary,
            .access = Access::anyone(),
            .runs_on = runs_on,
            .request_class = RequestClass::decision,
            .body = BodyForm::form,
            .max_body = largest_token_request,
            .max_members = 64,
            .errors = ErrorStyle::oauth};
}

} // namespace

Routes form_revocation_routes() {
    return {
        route<revoke_token>(form_operation("/oauth2/revoke", "revokeToken",
                                           "End a token of the client's own (RFC 7009)",
                                           RunsOn::worker)),
        route<introspect_token>(form_operation("/oauth2/introspect", "introspectToken",
                                               "Ask whether a token is good (RFC 7662)",
                                               RunsOn::inline_thread)),
    };
}

} // namespace claviger
