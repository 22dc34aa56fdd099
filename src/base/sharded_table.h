// SPDX-License-Identifier: Apache-2.0
// An immutable hash table in shards. A change makes a new table that shares every shard but one
// with the old one, so that readers keep a consistent table without a lock and a write costs the
// copy of a few hundred rows, not of a million.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace claviger {

/// FNV-1a with a final mix, for keys that are not hashes already.
constexpr std::uint64_t hash_of(std::string_view text) {
    std::uint64_t value = 0xCBF29CE484222325ULL;
    for (const char c : text) {
        value = (value ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
    }
    value ^= value >> 32;
    return value * 0x9E3779B97F4A7C15ULL;
}
constexpr std::uint64_t hash_of(std::int64_t number) {
    auto value = static_cast<std::uint64_t>(number) * 0x9E3779B97F4A7C15ULL;
    value ^= value >> 29;
    return value * 0xBF58476D1CE4E5B9ULL;
}

/// `KeyOf` is a stateless function object: `KeyOf{}(row)` gives the key, and hash_of(key) exists.
/// Rows with equal keys may stand side by side (`add`) or replace one another (`put`).
/// `has_prefixes`: for two bytes a row, a search in a big table waits for the memory two or three
/// times less often.
template <class Row, class KeyOf, bool has_prefixes = false>
class ShardedTable {
public:
    using Key = std::remove_cvref_t<decltype(KeyOf{}(std::declval<const Row&>()))>;

    ShardedTable() : shards_(1, std::make_shared<const Shard>()) {}

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    /// The first row with this key, or null. Valid as long as this table lives.
    const Row* find(const Key& key) const {
        const Row* found = nullptr;
        for_each_equal(key, [&](const Row& row) { found = found == nullptr ? &row : found; });
        return found;
    }

    template <class Visit>
    void for_each_equal(const Key& key, Visit visit) const {
        const std::uint64_t hash = hash_of(key);
        const Shard& shard = *shards_[shard_of(hash)];
        for (std::size_t i = first_at_or_after(shard, hash);
             i < shard.rows.size() && hash_of_row(shard.rows[i]) == hash; ++i) {
            if (KeyOf{}(shard.rows[i]) == key) {
                visit(shard.rows[i]);
            }
        }
    }

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& shard : shards_) {
            for (const Row& row : shard->rows) {
                visit(row);
            }
        }
    }

    /// A table in which `row` replaces the rows with its key.
    ShardedTable put(Row row) const {
        const Key key = KeyOf{}(row);
        return changed(key, [&](Rows& rows) {
            std::erase_if(rows, [&](const Row& old) { return KeyOf{}(old) == key; });
            insert_sorted(rows, std::move(row));
        });
    }

    /// A table with `row` beside the rows of the same key.
    ShardedTable add(Row row) const {
        const Key key = KeyOf{}(row);
        return changed(key, [&](Rows& rows) { insert_sorted(rows, std::move(row)); });
    }

    /// A table without the rows of this key for which `which` holds.
    template <class Which>
    ShardedTable remove(const Key& key, Which which) const {
        return changed(key, [&](Rows& rows) {
            std::erase_if(rows, [&](const Row& row) { return KeyOf{}(row) == key && which(row); });
        });
    }
    ShardedTable remove(const Key& key) const {
        return remove(key, [](const Row&) { return true; });
    }

    /// Builds a table of many rows at once, for start-up.
    static ShardedTable build(std::vector<Row> rows) {
        ShardedTable table;
        table.size_ = rows.size();
        table.distribute(std::move(rows), shard_count_for(table.size_));
        return table;
    }

private:
    using Rows = std::vector<Row>; // sorted by the hash of the key
    struct NoPrefixes {};
    struct Shard {
        Rows rows;
        /// The first 16 bits of the rows' hashes, side by side.
        [[no_unique_address]] std::conditional_t<has_prefixes, std::vector<std::uint16_t>,
                                                 NoPrefixes> prefixes;
    };
    static constexpr std::size_t rows_per_shard = 128;
    static constexpr std::size_t line = 64; // bytes that the memory gives at once

    static std::uint16_t prefix_of(std::uint64_t hash) {
        return static_cast<std::uint16_t>(hash >> 48);
    }

    static std::shared_ptr<const Shard> make_shard(Rows rows) {
        Shard shard{std::move(rows), {}};
        if constexpr (has_prefixes) {
            shard.prefixes.reserve(shard.rows.size());
            for (const Row& row : shard.rows) {
                shard.prefixes.push_back(prefix_of(hash_of_row(row)));
            }
        }
        return std::make_shared<const Shard>(std::move(shard));
    }

    static std::size_t first_at_or_after(const Shard& shard, std::uint64_t hash) {
        std::size_t i = 0;
        if constexpr (has_prefixes) {
            const auto& prefixes = shard.prefixes;
            for (std::size_t j = 0; j < prefixes.size(); j += line / sizeof(std::uint16_t)) {
                __builtin_prefetch(prefixes.data() + j);
            }
            i = static_cast<std::size_t>(std::ranges::lower_bound(prefixes, prefix_of(hash)) -
                                         prefixes.begin());
            while (i < shard.rows.size() && hash_of_row(shard.rows[i]) < hash) {
                ++i;
            }
        } else {
            i = static_cast<std::size_t>(
                std::ranges::lower_bound(shard.rows, hash, {}, hash_of_row) - shard.rows.begin());
        }
        return i;
    }

    static std::uint64_t hash_of_row(const Row& row) { return hash_of(KeyOf{}(row)); }

    static std::size_t shard_count_for(std::size_t rows) {
        std::size_t count = 1;
        while (count * rows_per_shard < rows) {
            count *= 2;
        }
        return count;
    }

    std::size_t shard_of(std::uint64_t hash) const { return hash >> 40 & (shards_.size() - 1); }

    static void insert_sorted(Rows& rows, Row row) {
        const auto at = std::ranges::upper_bound(rows, hash_of_row(row), {}, hash_of_row);
        rows.insert(at, std::move(row));
    }

    template <class Change>
    ShardedTable changed(const Key& key, Change change) const {
        ShardedTable next = *this;
        auto& slot = next.shards_[next.shard_of(hash_of(key))];
        Rows copy = slot->rows;
        next.size_ -= copy.size();
        change(copy);
        next.size_ += copy.size();
        slot = make_shard(std::move(copy));
        if (next.size_ > next.shards_.size() * rows_per_shard * 2) {
            next.split();
        }
        return next;
    }

    /// Rare: doubles the shards when they have grown too long.
    void split() {
        std::vector<Row> rows;
        rows.reserve(size_);
        for_each([&](const Row& row) { rows.push_back(row); });
        distribute(std::move(rows), shard_count_for(size_) * 2);
    }

    void distribute(std::vector<Row> rows, std::size_t shard_count) {
        shards_.assign(shard_count, nullptr);
        std::vector<std::size_t> sizes(shard_count);
        for (const Row& row : rows) {
            ++sizes[shard_of(hash_of_row(row))];
        }
        std::vector<Rows> filling(shard_count);
        for (std::size_t i = 0; i < shard_count; ++i) {
            filling[i].reserve(sizes[i]);
        }
        for (Row& row : rows) {
            filling[shard_of(hash_of_row(row))].push_back(std::move(row));
        }
        for (std::size_t i = 0; i < shard_count; ++i) {
            std::ranges::sort(filling[i], {}, hash_of_row);
            shards_[i] = make_shard(std::move(filling[i]));
        }
    }

    std::vector<std::shared_ptr<const Shard>> shards_; // shared between generations of the table
    std::size_t size_ = 0;
};

} // namespace claviger
