// SPDX-License-Identifier: Apache-2.0
#include "api/token_grants.h"

namespace claviger {
namespace {

constexpr std::size_t longest_credential = 1024; // bytes

Result<GrantedTokens> take(Context& context, GrantOutcome outcome) {
    context.ticket = outcome.ticket;
    context.retry_after_seconds = outcome.retry_after_seconds;
    return std::move(outcome.result);
}

} // namespace

Result<void> check_length(std::initializer_list<std::string_view> credentials) {
    for (const std::string_view text : credentials) {
        if (text.size() > longest_credential) {
            return fail(ErrorCode::invalid_request, "a credential is longer than 1024 bytes");
        }
    }
    return {};
}

Result<GrantedTokens> grant_to_client(Context& context, const Credentials& client,
                                      GrantOptions options) {
    TRY(check_length({client.id, client.secret}));
    return take(context,
                context.services.grants.client_credentials(
                    context.state(), client.id, client.secret, context.caller.origin, options));
}

Result<GrantedTokens> grant_to_user(Context& context, const PasswordRequest& request,
                                    GrantOptions options) {
    if (!context.services.settings.password_grant) {
        return fail(ErrorCode::unsupported_grant_type, "The password grant is switched off.");
    }
    TRY(check_length({request.email, request.password, request.client_id}));
    return take(context, context.services.grants.password(context.state(), request,
                                                          context.caller.origin, options));
}

Result<GrantedTokens> grant_to_session(Context& context, const RefreshRequest& request,
                                       GrantOptions options) {
    TRY(check_length({request.token, request.client_id}));
    return take(context, context.services.grants.refresh(context.state(), request,
                                                         context.caller.origin, options));
}

} // namespace claviger
