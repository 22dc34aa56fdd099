// SPDX-License-Identifier: Apache-2.0
// The master key and what is derived from it. It never touches the database; losing it makes every
// stored secret and signing key useless.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "jose/crypto.h"

namespace claviger {

class MasterKey {
public:
    /// 64 hexadecimal digits, as in the file or the variable.
    static Result<MasterKey> parse(std::string_view text);
    /// Reads the file; with `create`, makes it (mode 0600, synced) when it is absent.
    /// Refuses a file that the group or others can read.
    static Result<MasterKey> load(const std::filesystem::path& file, bool create, Random& random);

    MasterKey(const MasterKey&) = delete;
    MasterKey& operator=(const MasterKey&) = delete;
    MasterKey(MasterKey&&) noexcept = default;
    MasterKey& operator=(MasterKey&&) noexcept = default;
    ~MasterKey();

    /// A key for one use, named by `purpose` (HKDF, RFC 5869).
    Key256 derive(std::string_view purpose) const;

private:
    explicit MasterKey(const Key256& key) : key_(key) {}
    Key256 key_;
};

} // namespace claviger
