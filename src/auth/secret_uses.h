// SPDX-License-Identifier: Apache-2.0
// How each secret was used last: when, from where, by what, and how often on that day. Kept in
// memory until it is written to the store in batches, so that a token costs no database row.
#pragma once

#include <array>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/origin.h"
#include "base/error.h"
#include "store/store.h"

namespace claviger {

inline constexpr std::size_t longest_user_agent = 128; // bytes that are kept

class SecretUses {
public:
    /// `key` is the service account or access key. After the first since a flush, without
    /// allocating for a client that does not change.
    void record(TenantId tenant, const Uuid& key, const Uuid& secret, const Origin& origin,
                Timestamp at);
    /// Of a key's secrets, what is stored and what this process has seen since.
    Result<std::vector<SecretUse>> of_key(Store& store, TenantId tenant, const Uuid& key) const;
    /// Writes what has been seen since the last call. On failure it is kept for the next one.
    Result<void> flush(Store& store);

private:
    struct Hash {
        std::size_t operator()(const Uuid& id) const { return hash_of(id); }
    };
    using Seen = std::unordered_map<Uuid, SecretUse, Hash>; // by the secret
    struct Shard {
        mutable std::mutex mutex;
        Seen seen;
    };
    static std::size_t place_of(const Uuid& id) { return hash_of(id) >> 8 & (shard_count - 1); }

    static constexpr std::size_t shard_count = 64;
    std::array<Shard, shard_count> shards_;
};

} // namespace claviger
