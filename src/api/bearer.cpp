// SPDX-License-Identifier: Apache-2.0
#include "api/bearer.h"

#include "api/token_grants.h"
#include "base/text.h"

namespace claviger {
namespace {

/// The token of "Bearer <token>"; nothing else is one (RFC 6750 2.1).
Result<std::string_view> bearer_token(const HttpRequest& request) {
    if (!request.authorization) {
        return fail(ErrorCode::unauthenticated, "The Authorization header is missing.");
    }
    std::string_view text = *request.authorization;
    const bool bearer = text.size() > 7 && ascii_iequal(text.substr(0, 7), "Bearer ");
    text.remove_prefix(bearer ? 7 : text.size());
    const bool has_separator = text.contains(' ') || text.contains(',') || text.contains('\t');
    if (text.empty() || has_separator) {
        return fail(ErrorCode::unauthenticated, "The Authorization header holds no bearer token.");
    }
    return text;
}

std::string challenge_to(const Context& context, std::string_view api) {
    return "Bearer realm=\"" + context.state().tenant.realm + "\", resource_metadata=\"" +
           protected_resource_metadata_url(context, api) + "\"";
}

} // namespace

Result<Principal> authenticate(Context& context, const TokenVerifier& verifier,
                               AcceptedTokens accepted) {
    const std::string_view token = TRY(bearer_token(context.request));
    auto principal = verifier.verify(context.state(), token, accepted, context.request.source_ip);
    if (principal) {
        if (principal->is_outside_addresses) {
            warn_of_address(context.services, context.request, principal->name);
        }
        return *std::move(principal);
    }
    // The reason is for the log and its owner; a stranger learns only that the token is not good.
    const Refusal& refusal = context.refusal.emplace(std::move(principal).error());
    context.services.log.write(LogLevel::debug, refusal.log_text(),
                               {{"request_id", std::string_view(context.request.request_id)}});
    return fail(ErrorCode::unauthenticated, refusal.reason == RefusalReason::wrong_issuer
                                                ? std::string(text_of(refusal.reason).audit)
                                                : std::string("The bearer token is not valid."));
}

std::string protected_resource_metadata_url(const Context& context, std::string_view api) {
    std::string url = base_url(context.services.settings, context.state().tenant);
    url += protected_resource_path;
    if (!api.empty()) {
        url += "/";
        url += api;
    }
    return url;
}

std::string challenge_of(const Context& context, std::string_view api) {
    return challenge_to(context, api) +
           (context.request.authorization ? ", error=\"invalid_token\"" : "");
}

std::string challenge_of_missing(const Context& context, std::string_view api,
                                 const std::string& permission) {
    return challenge_to(context, api) + ", error=\"insufficient_scope\"" +
           (permission.empty() ? std::string() : ", scope=\"" + permission + "\"");
}

} // namespace claviger
