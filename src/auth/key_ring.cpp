// SPDX-License-Identifier: Apache-2.0
#include "auth/key_ring.h"

#include <algorithm>
#include <atomic>

#include "base/secret.h"
#include "base/text.h"
#include "jose/jwk.h"
#include "jose/jwt.h"

namespace claviger {
namespace {

/// The `typ` of what such a key signs.
std::string_view token_type(KeyPurpose purpose) {
    switch (purpose) {
    case KeyPurpose::access_token:
        return access_token_type;
    case KeyPurpose::id_token:
        return id_token_type;
    case KeyPurpose::security_event:
        break;
    }
    return security_event_type;
}

std::uint32_t next_serial() {
    static std::atomic<std::uint32_t> last{0};
    return ++last;
}

std::string place_of(const SigningKey& row) {
    return "claviger signing key 1|" + std::to_string(number_of(row.tenant)) + "|" + row.kid + "|" +
           std::string(name_of(jose_algorithm(row.algorithm))) + "|" +
           std::string(name_of(row.purpose));
}

} // namespace

std::string_view name_of(KeyPurpose purpose) {
    switch (purpose) {
    case KeyPurpose::id_token:
        return "id_token";
    case KeyPurpose::security_event:
        return "security_event";
    case KeyPurpose::access_token:
        break;
    }
    return "access_token";
}

JoseAlgorithm jose_algorithm(SigningAlgorithm algorithm) {
    switch (algorithm) {
    case SigningAlgorithm::rs256:
        return JoseAlgorithm::rs256;
    case SigningAlgorithm::ed25519:
        return JoseAlgorithm::ed25519;
    case SigningAlgorithm::es256:
        break;
    }
    return JoseAlgorithm::es256;
}

KeyRing::KeyRing(std::vector<OpenedKey> keys) : keys_(std::move(keys)), serial_(next_serial()) {
    std::ranges::sort(keys_, [](const OpenedKey& a, const OpenedKey& b) {
        return std::tie(a.row.activates_at, a.row.kid) < std::tie(b.row.activates_at, b.row.kid);
    });
}

const OpenedKey* KeyRing::signing_key(KeyPurpose purpose, SigningAlgorithm preferred,
                                      Timestamp now) const {
    const OpenedKey* newest = nullptr;
    const OpenedKey* newest_preferred = nullptr;
    for (const OpenedKey& key : keys_) {
        if (key.row.purpose != purpose || !may_sign(key.row, now)) {
            continue;
        }
        newest = &key;
        if (key.row.algorithm == preferred) {
            newest_preferred = &key;
        }
    }
    return newest_preferred != nullptr ? newest_preferred : newest;
}

const OpenedKey* KeyRing::find(std::string_view kid, Timestamp now) const {
    const auto at = std::ranges::find_if(keys_, [&](const OpenedKey& key) {
        return key.row.kid == kid && is_published(key.row, now);
    });
    return at == keys_.end() ? nullptr : &*at;
}

std::string KeyRing::jwk_set(Timestamp now) const {
    std::string out = "{\"keys\":[";
    for (const OpenedKey& key : keys_) {
        if (is_published(key.row, now)) {
            out += out.back() == '[' ? "" : ",";
            out += key.public_key.jwk();
            out.back() = ','; // in place of its brace
            append_json_string(out, token_type_member);
            out += ':';
            append_json_string(out, token_type(key.row.purpose));
            out += '}';
        }
    }
    out += "]}";
    return out;
}

std::vector<SigningAlgorithm> KeyRing::published_algorithms(KeyPurpose purpose,
                                                            Timestamp now) const {
    std::vector<SigningAlgorithm> algorithms;
    for (const OpenedKey& key : keys_) {
        const bool known = std::ranges::find(algorithms, key.row.algorithm) != algorithms.end();
        if (key.row.purpose == purpose && is_published(key.row, now) && !known) {
            algorithms.push_back(key.row.algorithm);
        }
    }
    std::ranges::sort(algorithms);
    return algorithms;
}

KeyVault::KeyVault(const RootKey& root_key, Random& random)
    : vault_(root_key, "claviger signing keys 1", random) {}

namespace {

/// A kid that begins with "-" would be read as a flag by the command line: one in 64 is thrown
/// away.
Result<PrivateKey> generate_key(SigningAlgorithm algorithm, int rsa_key_bits) {
    while (true) {
        PrivateKey key = TRY(PrivateKey::generate(jose_algorithm(algorithm), rsa_key_bits));
        if (!key.public_key().kid().starts_with('-')) {
            return key;
        }
    }
}

} // namespace

Result<SigningKey> KeyVault::generate(TenantId tenant, const WantedKey& wanted,
                                      const TokenSettings& settings, Timestamp now) const {
    const PrivateKey key = TRY(generate_key(wanted.algorithm, settings.rsa_key_bits));
    SigningKey row;
    row.tenant = tenant;
    row.kid = key.public_key().kid();
    row.algorithm = wanted.algorithm;
    row.purpose = wanted.purpose;
    row.state = wanted.activates_at <= now ? KeyState::active : KeyState::pending;
    row.token_lifetime_seconds = settings.lifetime_seconds;
    row.created_at = now;
    row.activates_at = wanted.activates_at;
    Bytes plain = key.pkcs8();
    row.sealed_private_key = vault_.seal(plain, place_of(row));
    wipe(plain);
    return row;
}

Result<OpenedKey> KeyVault::open(const SigningKey& row) const {
    auto plain = vault_.open(row.sealed_private_key, place_of(row));
    if (!plain) {
        return fail(ErrorCode::internal,
                    "signing key " + row.kid + " of tenant " +
                        std::to_string(number_of(row.tenant)) +
                        " cannot be opened: it was changed, or the master key is another one");
    }
    auto key = PrivateKey::from_pkcs8(jose_algorithm(row.algorithm), *plain);
    wipe(*plain);
    if (!key) {
        return std::unexpected(std::move(key).error());
    }
    PublicKey public_key = key->public_key();
    return OpenedKey{row, *std::move(key), std::move(public_key)};
}

} // namespace claviger
