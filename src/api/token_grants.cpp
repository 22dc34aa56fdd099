// SPDX-License-Identifier: Apache-2.0
#include "api/token_grants.h"

#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t longest_credential = 1024; // bytes

Result<GrantedTokens> take(Context& context, GrantOutcome outcome) {
    context.ticket = outcome.ticket;
    context.retry_after_seconds = outcome.retry_after_seconds;
    context.refusal = std::move(outcome.refusal);
    if (outcome.result && outcome.result->key_expires_at) {
        context.headers.emplace_back("Claviger-Key-Expires",
                                     format_rfc3339(*outcome.result->key_expires_at));
    }
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

Result<LifetimeText> LifetimeText::decode(std::string_view text) {
    const auto seconds = parse_integer<std::int64_t>(text);
    return seconds ? Result<LifetimeText>(LifetimeText{*seconds})
                   : fail(ErrorCode::invalid_request, "must be a whole number of seconds");
}

void warn_of_address(const Services& services, const HttpRequest& request, std::string_view name) {
    services.log.write(LogLevel::warning, "a key was used from an address that is not in its list",
                       {{"name", name},
                        {"address", std::string_view(request.source_ip)},
                        {"request_id", std::string_view(request.request_id)}});
}

Result<GrantedTokens> grant_to_client(Context& context, const Credentials& client,
                                      GrantOptions options) {
    TRY(check_length({client.id, client.secret}));
    auto tokens =
        take(context,
             context.services.grants.client_credentials(context.state(), client.id, client.secret,
                                                        context.caller.origin, std::move(options)));
    if (tokens && tokens->is_outside_addresses) {
        warn_of_address(context.services, context.request, client.id);
    }
    return tokens;
}

Result<GrantedTokens> grant_to_user(Context& context, const PasswordRequest& request,
                                    GrantOptions options) {
    if (!context.services.settings.password_grant) {
        return fail(ErrorCode::unsupported_grant_type, "The password grant is switched off.");
    }
    TRY(check_length({request.email, request.password, request.client_id}));
    return take(context, context.services.grants.password(
                             context.state(), request, context.caller.origin, std::move(options)));
}

Result<GrantedTokens> grant_to_session(Context& context, const RefreshRequest& request,
                                       GrantOptions options) {
    TRY(check_length({request.token, request.client_id}));
    return take(context, context.services.grants.refresh(
                             context.state(), request, context.caller.origin, std::move(options)));
}

} // namespace claviger
