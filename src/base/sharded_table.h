// SPDX-License-Identifier: Apache-2.0
// An immutable hash table in shards. A change makes a new table that shares every shard but one
// with the old one, so that readers keep a consistent table without a lock and a write costs the
// copy of a few hundred rows, not of a million.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace claviger {

// Hashes of keys that are not hashes already. They hold for this process only: nothing that is
// kept or shown may depend on them.
constexpr std::uint64_t hash_of(std::int64_t number) {
    auto value = static_cast<std::uint64_t>(number) * 0x9E3779B97F4A7C15ULL;
    value ^= value >> 29;
    return value * 0xBF58476D1CE4E5B9ULL;
}
inline std::uint64_t hash_of(std::string_view text) {
    std::uint64_t value = text.size();
    std::uint64_t next = 0;
    for (; text.size() >= sizeof next; text.remove_prefix(sizeof next)) {
        std::memcpy(&next, text.data(), sizeof next);
        value = (value ^ next) * 0x9E3779B97F4A7C15ULL;
        value ^= value >> 32;
    }
    next = 0;
    for (const char c : text) {
        next = next << 8 | static_cast<std::uint8_t>(c);
    }
    return hash_of(static_cast<std::int64_t>(value ^ next));
}

/// The rows of one shard in one piece of memory with what finds them, so that a search in a big
/// table waits for the memory as seldom as can be.
template <class Row, bool has_prefixes>
class RowBlock {
public:
    /// `prefix_of(row)` gives the first 16 bits of the row's hash.
    template <class PrefixOf>
    static std::shared_ptr<const RowBlock> make(std::vector<Row> rows, PrefixOf prefix_of) {
        void* const memory =
            ::operator new(offset_of_rows(rows.size()) + rows.size() * sizeof(Row));
        auto* const block = new (memory) RowBlock(rows.size());
        if constexpr (has_prefixes) {
            std::ranges::transform(rows, block->first_prefix(), prefix_of);
        }
        std::uninitialized_move(rows.begin(), rows.end(), block->first_row());
        return std::shared_ptr<const RowBlock>(block, [](const RowBlock* old) { destroy(old); });
    }

    std::span<const Row> rows() const { return {first_row(), size_}; }
    std::span<const std::uint16_t> prefixes() const
        requires has_prefixes
    {
        return {first_prefix(), size_};
    }

    /// Asks the memory for the beginning, in which `bytes` of prefixes stand.
    void prefetch(std::size_t bytes) const {
        for (std::size_t at = 0; at < sizeof(RowBlock) + bytes; at += line) {
            __builtin_prefetch(reinterpret_cast<const char*>(this) + at);
        }
    }

private:
    static constexpr std::size_t line = 64; // bytes that the memory gives at once
    static_assert(alignof(Row) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    static_assert(std::is_nothrow_move_constructible_v<Row>);

    explicit RowBlock(std::size_t size) : size_(size) {}
    ~RowBlock() = default;

    static void destroy(const RowBlock* block) {
        std::ranges::destroy(block->rows());
        block->~RowBlock();
        ::operator delete(const_cast<RowBlock*>(block));
    }

    static std::size_t offset_of_rows(std::size_t size) {
        const std::size_t end =
            sizeof(RowBlock) + (has_prefixes ? size * sizeof(std::uint16_t) : 0);
        return (end + alignof(Row) - 1) / alignof(Row) * alignof(Row);
    }
    Row* first_row() const {
        return std::launder(reinterpret_cast<Row*>(bytes() + offset_of_rows(size_)));
    }
    std::uint16_t* first_prefix() const {
        return std::launder(reinterpret_cast<std::uint16_t*>(bytes() + sizeof(RowBlock)));
    }
    std::byte* bytes() const { return reinterpret_cast<std::byte*>(const_cast<RowBlock*>(this)); }

    std::size_t size_;
};

/// `KeyOf` is a stateless function object: `KeyOf{}(row)` gives the key, and hash_of(key) exists.
/// Rows with equal keys may stand side by side (`add`) or replace one another (`put`).
/// `has_prefixes`: for two bytes a row, a search in a big table waits for the memory less often.
template <class Row, class KeyOf, bool has_prefixes = false>
class ShardedTable {
public:
    using Key = std::remove_cvref_t<decltype(KeyOf{}(std::declval<const Row&>()))>;

    ShardedTable() : shards_(1, make_shard({})) {}

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
        const std::span<const Row> rows = shard.rows();
        for (std::size_t i = first_at_or_after(shard, hash);
             i < rows.size() && hash_of_row(rows[i]) == hash; ++i) {
            if (KeyOf{}(rows[i]) == key) {
                visit(rows[i]);
            }
        }
    }

    /// Asks the memory for what a search for the key reads first.
    void prefetch(const Key& key) const
        requires has_prefixes
    {
        shards_[shard_of(hash_of(key))]->prefetch(rows_per_shard * sizeof(std::uint16_t));
    }

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& shard : shards_) {
            for (const Row& row : shard->rows()) {
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
    using Shard = RowBlock<Row, has_prefixes>;
    static constexpr std::size_t rows_per_shard = 128;
    static constexpr std::size_t most_prefetched_rows = 16;

    static std::uint16_t prefix_of(std::uint64_t hash) {
        return static_cast<std::uint16_t>(hash >> 48);
    }

    static std::shared_ptr<const Shard> make_shard(Rows rows) {
        return Shard::make(std::move(rows),
                           [](const Row& row) { return prefix_of(hash_of_row(row)); });
    }

    static std::size_t first_at_or_after(const Shard& shard, std::uint64_t hash) {
        const std::span<const Row> rows = shard.rows();
        if constexpr (!has_prefixes) {
            return static_cast<std::size_t>(std::ranges::lower_bound(rows, hash, {}, hash_of_row) -
                                            rows.begin());
        } else {
            shard.prefetch(rows_per_shard * sizeof(std::uint16_t));
            const auto alike = std::ranges::equal_range(shard.prefixes(), prefix_of(hash));
            auto i = static_cast<std::size_t>(alike.begin() - shard.prefixes().begin());
            // The rows are in other lines of the memory: all that will be read are asked for now.
            for (std::size_t j = 0; j < std::min(alike.size(), most_prefetched_rows); ++j) {
                __builtin_prefetch(&rows[i + j]);
            }
            while (i < rows.size() && hash_of_row(rows[i]) < hash) {
                ++i;
            }
            return i;
        }
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
        Rows copy(slot->rows().begin(), slot->rows().end());
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
