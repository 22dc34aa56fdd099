// SPDX-License-Identifier: Apache-2.0
// Reading published keys (RFC 7517), as verifiers elsewhere need it: strict, as tokens are read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "jose/key.h"

namespace claviger {

/// A key of a published set.
struct Jwk {
    PublicKey key;
    std::string token_type; // the `typ` of what it signs; empty when the set does not say
};

/// The member of a published key that says what it signs; others leave it unread (RFC 7517 4).
inline constexpr std::string_view token_type_member = "token_typ";

/// The longest key set that is read, in bytes.
inline constexpr std::size_t max_key_set_size = std::size_t{256} * 1024;

/// The keys of a set. Those of a kind, an algorithm or a use that is not ours are left out, as
/// RFC 7517 5 wants it; so is one whose `kid` is not its thumbprint. `invalid_request` for what is
/// no key set.
Result<std::vector<Jwk>> parse_key_set(std::string_view text);

/// The two members of a public key after base64url decoding: x and y of P-256, n and e of RSA, or x
/// of Ed25519 and nothing. `invalid_request` for what is no key of the algorithm.
Result<PublicKey> make_public_key(JoseAlgorithm algorithm, std::span<const std::uint8_t> first,
                                  std::span<const std::uint8_t> second);

} // namespace claviger
