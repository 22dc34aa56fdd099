// SPDX-License-Identifier: Apache-2.0
// One tenant's signing keys, opened: which one signs now, which ones verify, what is published.
// Immutable; part of a tenant's state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/vault.h"
#include "base/clock.h"
#include "jose/key.h"
#include "model/model.h"

namespace claviger {

/// How long a verifier may keep a published key set, in seconds (`Cache-Control: max-age`).
inline constexpr std::int64_t key_set_max_age_seconds = 600;
/// How far the clocks of verifiers may be off, in seconds.
inline constexpr std::int64_t clock_skew_seconds = 60;

struct OpenedKey {
    SigningKey row;
    PrivateKey private_key;
    PublicKey public_key;
};

class KeyRing {
public:
    KeyRing() = default;
    KeyRing(std::vector<OpenedKey> keys, std::int64_t token_lifetime_seconds);

    /// The key that signs at `now`: the newest active one of this algorithm, else the newest
    /// active.
    const OpenedKey* signing_key(KeyPurpose purpose, SigningAlgorithm preferred,
                                 Timestamp now) const;
    /// A published key by its id, for verification.
    const OpenedKey* find(std::string_view kid, Timestamp now) const;
    /// The JWK set as JSON (RFC 7517 5).
    std::string jwk_set(Timestamp now) const;
    std::vector<SigningAlgorithm> published_algorithms(KeyPurpose purpose, Timestamp now) const;
    const std::vector<OpenedKey>& keys() const { return keys_; }
    /// Differs between rings with different keys; verified tokens remember it.
    std::uint32_t serial() const { return serial_; }

private:
    bool is_published(const SigningKey& key, Timestamp now) const;
    std::vector<OpenedKey> keys_;
    std::int64_t token_lifetime_seconds_ = 0;
    std::uint32_t serial_ = 0;
};

/// Seals and opens private keys at rest, bound to tenant, kid, algorithm and purpose.
class KeyVault {
public:
    KeyVault(const MasterKey& master_key, Random& random);

    /// A new key, sealed; it activates at `activates_at`.
    Result<SigningKey> generate(TenantId tenant, KeyPurpose purpose, SigningAlgorithm algorithm,
                                int rsa_bits, Timestamp now, Timestamp activates_at) const;
    /// `internal` when the row was changed, moved between tenants, or sealed under another key.
    Result<OpenedKey> open(const SigningKey& row) const;

private:
    Vault vault_;
};

JoseAlgorithm jose_algorithm(SigningAlgorithm algorithm);

} // namespace claviger
