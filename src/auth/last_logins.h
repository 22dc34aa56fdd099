// SPDX-License-Identifier: Apache-2.0
// When each principal and access key last got a token. Kept in memory, written to the store in
// batches, so that a token costs no database row.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace claviger {

class LastLogins {
public:
    void record(const LoginId& id, Timestamp at);
    /// The later of what is stored and what this process has seen.
    std::optional<Timestamp> latest(const Uuid& id, std::optional<Timestamp> stored) const;
    /// Writes what has changed since the last call.
    Result<void> flush(Store& store);

private:
    struct Hash {
        std::size_t operator()(const Uuid& id) const { return hash_of(id); }
    };
    struct Seen {
        LoginId id;
        Timestamp at;
        bool written = false;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<Uuid, Seen, Hash> seen;
    };
    Shard& shard_of(const Uuid& id) { return shards_[hash_of(id) >> 8 & (shards_.size() - 1)]; }
    const Shard& shard_of(const Uuid& id) const {
        return shards_[hash_of(id) >> 8 & (shards_.size() - 1)];
    }
    std::array<Shard, 64> shards_;
};

} // namespace claviger
