// SPDX-License-Identifier: Apache-2.0
// What all token endpoints share: from credentials, already taken out of a request, to tokens.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

#include "api/context.h"

namespace claviger {

inline constexpr std::size_t largest_token_request = 64 * 1024; // bytes

/// A grant whose name a body holds needs a worker: it hashes a password, or writes.
inline constexpr std::array<std::string_view, 2> grants_for_workers{grant_type::password,
                                                                    grant_type::refresh_token};

/// What the tokens of users are good for. Nothing narrows them, so each answer says all of it.
inline constexpr std::string_view user_scopes = "openid email profile groups offline_access";

/// A credential pair as sent, empty where nothing was; where it was sent, it stands.
struct Credentials {
    std::string_view id;
    std::string_view secret;
};

/// `invalid_request` for a credential that is longer than any of ours.
Result<void> check_length(std::initializer_list<std::string_view> credentials);

Result<GrantedTokens> grant_to_client(Context& context, const Credentials& client,
                                      GrantOptions options);
Result<GrantedTokens> grant_to_user(Context& context, const PasswordRequest& request,
                                    GrantOptions options);
Result<GrantedTokens> grant_to_session(Context& context, const RefreshRequest& request,
                                       GrantOptions options);

} // namespace claviger
