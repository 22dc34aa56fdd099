// SPDX-License-Identifier: Apache-2.0
// What of a tenant has been revoked, in memory: the ids of tokens and sessions that have ended
// before their time, and the newest entries of the feed. Part of a tenant's state; copies share.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/sharded_table.h"
#include "model/model.h"

namespace claviger {

class RevocationTable {
public:
    /// The feed goes back by at least this many; who is further behind takes the snapshot.
    static constexpr std::size_t least_recent = 4096;

    /// `rows` in the order of their numbers.
    static RevocationTable build(const std::vector<Revocation>& rows);

    /// Takes a row as it was committed: a new one, or an old one that is kept no longer.
    void put(const Revocation& revocation);

    /// Whether this token or session has been ended.
    bool has_ended(const Uuid& id) const { return ended_.find(id) != nullptr; }
    /// The number of ids that has_ended() knows.
    std::size_t ended_count() const { return ended_.size(); }

    /// 0 before the first.
    std::uint64_t last_number() const { return recent_->first + recent_->size - 1; }
    /// From here on all are here.
    std::uint64_t first_recent() const { return recent_->first; }
    /// Null for what is older than the recent ones, or not there yet.
    const Revocation* find(std::uint64_t number) const;

private:
    using Chunk = std::vector<Revocation>;
    static constexpr std::size_t chunk_size = 64;

    /// Full chunks, and the last one, which is replaced when it grows.
    struct Recent {
        std::uint64_t first = 1; // the number of the first one
        std::size_t size = 0;
        std::vector<std::shared_ptr<const Chunk>> chunks{}; // shared between generations
    };
    /// Who ends the same twice makes two rows, each with its own time to be forgotten.
    struct Ended {
        Uuid id;
        std::uint64_t number = 0; // of the revocation
    };
    struct IdOf {
        const Uuid& operator()(const Ended& row) const { return row.id; }
    };

    void append(const Revocation& revocation);

    ShardedTable<Ended, IdOf> ended_;
    std::shared_ptr<const Recent> recent_ = std::make_shared<const Recent>(); // likewise
};

} // namespace claviger
