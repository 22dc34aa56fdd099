// SPDX-License-Identifier: Apache-2.0
// Generated secrets: a prefix that says of what ("clvs_", "clvk_"), 43 base62 characters of 256
// random bits, 6 of CRC-32 over all before them. Kept only as HMAC-SHA-256 under the pepper, bound
// to the client id.
#pragma once

#include <string_view>

#include "auth/root_key.h"
#include "base/random.h"
#include "base/secret.h"
#include "model/model.h"

namespace claviger {

/// Whose secret it is: its prefix tells, for people and scanners.
enum class SecretKind : std::uint8_t { service_account, access_key };

/// "clvs_"
std::string_view prefix_of(SecretKind kind);

Secret generate_client_secret(Random& random, SecretKind kind);

class Pepper {
public:
    explicit Pepper(const RootKey& root_key);
    Digest keyed_hash(std::string_view client_id, std::string_view secret) const;
    /// HMAC of a password, to be hashed with Argon2id.
    Digest keyed_password(std::string_view normalised_password) const;
    std::uint32_t version() const { return 1; }

private:
    HmacSha256 secrets_;
    HmacSha256 passwords_;
};

/// What is kept of a secret.
ClientSecret keep_client_secret(const Pepper& pepper, Random& random, std::string_view client_id,
                                const Secret& secret, Timestamp now);

} // namespace claviger
