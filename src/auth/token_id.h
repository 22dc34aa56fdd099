// SPDX-License-Identifier: Apache-2.0
// How tokens name themselves and whom they are about: the `jti` and `sub` claims. No state: who
// verifies tokens elsewhere reads them as the server does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "base/uuid.h"

namespace claviger {

enum class PrincipalKind : std::uint8_t { service_account, user };

/// The jti of a token: 4 bytes of epoch, 4 of the secret's number, 16 random bytes, base64url. The
/// epoch at the front is what lets a change of the key end the tokens of the same second; the
/// number lets one of several secrets end with its tokens.
std::string make_token_id(std::uint32_t epoch, std::uint32_t secret, Random& random);
/// What a jti says.
struct TokenId {
    std::uint32_t epoch = 0;
    std::uint32_t secret = 0; // 0: none
    Uuid random;              // by which it is told from all others
};
std::optional<TokenId> read_token_id(std::string_view token_id);

/// "sa:<uuid>" or "user:<uuid>": the two kinds can never be mistaken for one another (RFC 9068 5).
std::string subject_claim(PrincipalKind kind, const Uuid& id);
std::optional<std::pair<PrincipalKind, Uuid>> parse_subject_claim(std::string_view claim);

} // namespace claviger
