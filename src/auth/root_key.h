// SPDX-License-Identifier: Apache-2.0
// The root key of a data directory: random, made with it, and kept in its database sealed under the
// master key. Whatever is sealed or hashed uses a key that is derived from it, so that another
// master key costs one small record (ADR 14).
#pragma once

#include <optional>
#include <string_view>

#include "auth/master_key.h"
#include "store/store.h"

namespace claviger {

class RootKey {
public:
    static RootKey make(Random& random);
    /// Of a data directory from before there were root keys: everything in it was derived from the
    /// master key itself.
    static RootKey of(const MasterKey& master_key);
    /// `internal` when the box was changed or is not of this master key.
    static Result<RootKey> open(const SealedRootKey& sealed, const MasterKey& master_key);

    RootKey(const RootKey&) = delete;
    RootKey& operator=(const RootKey&) = delete;
    RootKey(RootKey&& other) noexcept;
    RootKey& operator=(RootKey&&) = delete;
    ~RootKey();

    SealedRootKey seal(const MasterKey& master_key, Random& random, Timestamp now) const;
    bool is_same(const RootKey& other) const;

    /// A key for one use, named by `purpose` (HKDF, RFC 5869).
    Key256 derive(std::string_view purpose) const;

private:
    explicit RootKey(const Key256& key) : key_(key) {}
    Key256 key_;
};

struct FoundRootKey {
    RootKey key;
    std::optional<SealedRootKey> unsaved; // to be kept once all that it seals has been opened
};

/// The root key of the store, opened; a new one for a store without tenants. `invalid_request`
/// names both master keys when it is sealed under another one.
Result<FoundRootKey> find_root_key(Store& store, const MasterKey& master_key, Random& random,
                                   Timestamp now);

/// Puts what find_root_key() left to be saved.
Result<void> keep_root_key(Store& store, const FoundRootKey& found);

/// All records, oldest first: one, or two while a master key is being replaced.
Result<std::vector<SealedRootKey>> read_root_keys(Store& store);

} // namespace claviger
