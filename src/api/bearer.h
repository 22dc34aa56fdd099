// SPDX-License-Identifier: Apache-2.0
// Bearer tokens of requests (RFC 6750): who shows one, and the challenges to who does not.
#pragma once

#include <string>
#include <string_view>

#include "api/context.h"

namespace claviger {

inline constexpr std::string_view protected_resource_path = "/.well-known/oauth-protected-resource";

/// The principal whose token stands in the Authorization header. `unauthenticated` tells a stranger
/// only that there is none or that it is not good; why is the context's refusal.
Result<Principal> authenticate(Context& context, const TokenVerifier& verifier,
                               AcceptedTokens accepted);

/// Where an API says who issues its tokens (RFC 9728 3); `api` is the name of a protected API, or
/// empty for our own.
std::string protected_resource_metadata_url(const Context& context, std::string_view api);

/// The value of WWW-Authenticate for who shows no token, or one that is not good (RFC 6750 3,
/// RFC 9728 5.1).
std::string challenge_of(const Context& context, std::string_view api);
/// The same for who lacks a permission, which may be empty.
std::string challenge_of_missing(const Context& context, std::string_view api,
                                 const std::string& permission);

} // namespace claviger
