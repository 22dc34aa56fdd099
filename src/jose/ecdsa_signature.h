// SPDX-License-Identifier: Apache-2.0
// ECDSA signatures over P-256 in their two forms: DER, as OpenSSL has them, and R||S, as JOSE has
// them (RFC 7518 3.4). By hand, without allocation; lengths are checked before anything is copied.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace claviger {

using JoseSignature = std::array<std::uint8_t, 64>;

/// A DER signature and its length; 72 bytes are the most that P-256 needs.
struct DerSignature {
    std::array<std::uint8_t, 72> bytes{};
    std::size_t size = 0;
};

std::optional<JoseSignature> jose_from_der(std::span<const std::uint8_t> der);
/// Nothing unless both halves are from 1 to n-1.
std::optional<DerSignature> der_from_jose(std::span<const std::uint8_t> signature);

} // namespace claviger
