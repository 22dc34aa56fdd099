// SPDX-License-Identifier: Apache-2.0
// The master key, which seals the root key and nothing else. It never touches the database; losing
// it makes every stored secret and signing key useless.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "jose/crypto.h"

namespace claviger {

class MasterKey {
public:
    static MasterKey make(Random& random);
    /// 64 hexadecimal digits, as in the file or the variable.
    static Result<MasterKey> parse(std::string_view text);
    /// Reads the file; with `create`, makes it (mode 0600, synced) when it is absent.
    /// Refuses a file that the group or others can read.
    static Result<MasterKey> load(const std::filesystem::path& file, bool create, Random& random);
    /// Reads a credential of systemd, to which an access list may let the group in as well.
    static Result<MasterKey> load_credential(const std::filesystem::path& file);

    MasterKey(const MasterKey&) = delete;
    MasterKey& operator=(const MasterKey&) = delete;
    MasterKey(MasterKey&& other) noexcept;
    MasterKey& operator=(MasterKey&&) = delete;
    ~MasterKey();

    /// Makes the file that load() reads, mode 0600 and synced; it must not exist.
    Result<void> write(const std::filesystem::path& file) const;

    /// Tells keys apart and says nothing about them: 16 hexadecimal digits.
    std::string id() const;
    /// A key for one use, named by `purpose` (HKDF, RFC 5869).
    Key256 derive(std::string_view purpose) const;

private:
    friend class RootKey; // that of an old data directory has the same bytes
    explicit MasterKey(const Key256& key) : key_(key) {}
    const Key256& bytes() const { return key_; }
    Key256 key_;
};

} // namespace claviger
