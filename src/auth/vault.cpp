// SPDX-License-Identifier: Apache-2.0
#include "auth/vault.h"

#include "base/secret.h"

namespace claviger {

Vault::Vault(const RootKey& root_key, std::string_view purpose, Random& random)
    : key_(root_key.derive(purpose)), random_(random) {}

Vault::~Vault() {
    wipe(key_);
}

Bytes Vault::seal(std::span<const std::uint8_t> plain, std::string_view place) const {
    return claviger::seal(key_, plain, place, random_);
}

Result<Bytes> Vault::open(std::span<const std::uint8_t> box, std::string_view place) const {
    return claviger::open(key_, box, place);
}

} // namespace claviger
