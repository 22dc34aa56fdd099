// SPDX-License-Identifier: Apache-2.0
// What all token endpoints share: from credentials, already taken out of a request, to tokens.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

#include "api/codec.h"
#include "api/context.h"

namespace claviger {

inline constexpr std::size_t largest_token_request = 64 * 1024; // bytes

/// A grant whose name a body holds needs a worker: it hashes a password, or writes.
inline constexpr std::array<std::string_view, 2> grants_for_workers{grant_type::password,
                                                                    grant_type::refresh_token};

/// What the tokens of users are good for, unless the request narrows them.
inline constexpr std::string_view user_scopes = "openid email profile groups offline_access";

/// A lifetime in whole seconds; a form has it as text.
struct LifetimeText {
    std::int64_t seconds = 0;
    static Result<LifetimeText> decode(std::string_view text);
    static Result<LifetimeText> decode(std::int64_t number) { return LifetimeText{number}; }
    std::string wire() const { return std::to_string(seconds); }
    static json::object schema() { return {{"type", "integer"}, {"format", "int64"}}; }
};

/// A credential pair as sent, empty where nothing was; where it was sent, it stands.
struct Credentials {
    std::string_view id;
    std::string_view secret;
};

/// `invalid_request` for a credential that is longer than any of ours.
Result<void> check_length(std::initializer_list<std::string_view> credentials);

/// An empty text is a member that is left out.
inline std::optional<std::string> text_or_nothing(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

/// The warning that a key was used from an address that is not in its list, which only logs it.
void warn_of_address(const Services& services, const HttpRequest& request, std::string_view name);

/// What a request asks for less of, from the members that all token endpoints have for it.
template <class Request>
Result<Narrowing> narrowing_of(const Context& context, const Request& request) {
    return read_narrowing(context.caller.tenant(), context.services.settings,
                          {request.scope.value_or(""), request.resource.value_or(""),
                           request.scope_type.value_or(""), request.scope_id.value_or(""),
                           request.lifetime_seconds
                               ? std::optional(request.lifetime_seconds->seconds)
                               : std::nullopt});
}

Result<GrantedTokens> grant_to_client(Context& context, const Credentials& client,
                                      GrantOptions options);
Result<GrantedTokens> grant_to_user(Context& context, const PasswordRequest& request,
                                    GrantOptions options);
Result<GrantedTokens> grant_to_session(Context& context, const RefreshRequest& request,
                                       GrantOptions options);

} // namespace claviger
