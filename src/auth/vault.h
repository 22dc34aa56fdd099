// SPDX-License-Identifier: Apache-2.0
// Seals what must be read again but may not be read by others: AES-256-GCM under a key of its own
// for each purpose, derived from the root key. A box opens only at the place it was sealed for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "auth/root_key.h"

namespace claviger {

class Vault {
public:
    /// `random` must outlive it.
    Vault(const RootKey& root_key, std::string_view purpose, Random& random);
    ~Vault();
    Vault(const Vault&) = delete;
    Vault& operator=(const Vault&) = delete;

    Bytes seal(std::span<const std::uint8_t> plain, std::string_view place) const;
    /// `internal` when the box was changed, moved to another place, or sealed under another key.
    Result<Bytes> open(std::span<const std::uint8_t> box, std::string_view place) const;

private:
    Key256 key_;
    Random& random_;
};

} // namespace claviger
