// SPDX-License-Identifier: Apache-2.0
// Signing keys, their public form (JWK, RFC 7517), signing and verification (RFC 7515, 7518, 8037).
// A key has exactly one algorithm; the algorithm never comes from a token (RFC 8725 3.1).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/error.h"

namespace claviger {

enum class JoseAlgorithm : std::uint8_t { es256, rs256, ed25519 };

/// "ES256", "RS256", "Ed25519" (RFC 9864).
std::string_view name_of(JoseAlgorithm algorithm);

class PublicKey {
public:
    /// Checks a signature in its JOSE form (ES256: 64 bytes R||S, both in 1..n-1). Any thread.
    bool verify(std::string_view signing_input, std::span<const std::uint8_t> signature) const;
    JoseAlgorithm algorithm() const;
    /// RFC 7638 thumbprint, base64url.
    const std::string& kid() const;
    /// The JWK as JSON with kty, use=sig, alg, kid and the key's own members.
    std::string jwk() const;

    struct Parts; // OpenSSL's types stay in key.cpp
    explicit PublicKey(std::shared_ptr<const Parts> parts);

private:
    std::shared_ptr<const Parts> parts_; // shared: a key set and its snapshots hold the same key
};

class PrivateKey {
public:
    /// `rsa_bits` (2048 to 4096) is used for RS256 only.
    static Result<PrivateKey> generate(JoseAlgorithm algorithm, int rsa_bits);
    /// Reads unencrypted PKCS#8 DER and refuses a key that does not fit the algorithm.
    static Result<PrivateKey> from_pkcs8(JoseAlgorithm algorithm,
                                         std::span<const std::uint8_t> der);
    /// Unencrypted PKCS#8 DER; wipe it after use.
    Bytes pkcs8() const;
    PublicKey public_key() const;
    JoseAlgorithm algorithm() const;

    /// Appends the base64url signature of `signing_input`, which may lie in `out`. Contexts are
    /// kept per thread and key; no lock is held across a signature. Any thread.
    void sign(std::string_view signing_input, std::string& out) const;

    struct Parts;
    explicit PrivateKey(std::shared_ptr<const Parts> parts);

private:
    std::shared_ptr<const Parts> parts_; // shared: the per-thread contexts keep the key alive
};

} // namespace claviger
