// SPDX-License-Identifier: Apache-2.0
// One tenant's signing keys, opened: which one signs now, which ones verify, what is published.
// Immutable; part of a tenant's state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_life.h"
#include "auth/vault.h"
#include "base/clock.h"
#include "jose/key.h"
#include "model/model.h"

namespace claviger {

struct OpenedKey {
    SigningKey row;
    PrivateKey private_key;
    PublicKey public_key;
};

class KeyRing {
public:
    KeyRing() = default;
    explicit KeyRing(std::vector<OpenedKey> keys);

    /// The key that signs at `now`: the newest active one of this algorithm, else the newest of
    /// any, until there is one of this algorithm that verifiers have seen.
    const OpenedKey* signing_key(KeyPurpose purpose, SigningAlgorithm preferred,
                                 Timestamp now) const;
    /// A published key by its id, for verification.
    const OpenedKey* find(std::string_view kid, Timestamp now) const;
    /// The JWK set as JSON (RFC 7517 5). Each key says what it signs (`token_typ`).
    std::string jwk_set(Timestamp now) const;
    std::vector<SigningAlgorithm> published_algorithms(KeyPurpose purpose, Timestamp now) const;
    const std::vector<OpenedKey>& keys() const { return keys_; }
    /// Differs between rings with different keys; verified tokens remember it.
    std::uint32_t serial() const { return serial_; }

private:
    std::vector<OpenedKey> keys_;
    std::uint32_t serial_ = 0;
};

/// Seals and opens private keys at rest, bound to tenant, kid, algorithm and purpose.
class KeyVault {
public:
    KeyVault(const RootKey& root_key, Random& random);

    /// A new key, sealed; active when its time has come already.
    Result<SigningKey> generate(TenantId tenant, const WantedKey& wanted,
                                const TokenSettings& settings, Timestamp now) const;
    /// `internal` when the row was changed, moved between tenants, or sealed under another key.
    Result<OpenedKey> open(const SigningKey& row) const;

private:
    Vault vault_;
};

JoseAlgorithm jose_algorithm(SigningAlgorithm algorithm);
/// "access_token", "id_token" or "security_event"
std::string_view name_of(KeyPurpose purpose);

} // namespace claviger
