// SPDX-License-Identifier: Apache-2.0
// Many rows, few of them changed at a time. A ShardedTable copies a pointer for every shard when it
// changes, and a million rows are thousands of shards; here they are split among 64 such tables, of
// which a change touches one. Copies share everything.
#pragma once

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "base/sharded_table.h"

namespace claviger {

template <class Row, class KeyOf, bool has_prefixes = false>
class PartitionedTable {
    using Table = ShardedTable<Row, KeyOf, has_prefixes>;

public:
    using Key = typename Table::Key;

    PartitionedTable() { tables_.fill(std::make_shared<const Table>()); }

    static PartitionedTable build(std::vector<Row> rows) {
        std::array<std::vector<Row>, partition_count> parts;
        for (Row& row : rows) {
            parts[partition_of(KeyOf{}(row))].push_back(std::move(row));
        }
        rows = {};
        PartitionedTable table;
        for (std::size_t i = 0; i < partition_count; ++i) {
            table.tables_[i] = std::make_shared<const Table>(Table::build(std::move(parts[i])));
        }
        return table;
    }

    std::size_t size() const {
        std::size_t size = 0;
        for (const auto& table : tables_) {
            size += table->size();
        }
        return size;
    }

    const Row* find(const Key& key) const { return table_of(key).find(key); }

    void prefetch(const Key& key) const { table_of(key).prefetch(key); }

    template <class Visit>
    void for_each_equal(const Key& key, Visit visit) const {
        table_of(key).for_each_equal(key, visit);
    }

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& table : tables_) {
            table->for_each(visit);
        }
    }

    // Changes leave copies of this table as they are.
    void add(Row row) {
        const Key key = KeyOf{}(row);
        replace(key, table_of(key).add(std::move(row)));
    }
    template <class Which>
    void remove(const Key& key, Which which) {
        replace(key, table_of(key).remove(key, which));
    }

private:
    static constexpr std::size_t partition_count = 64;

    /// Other bits of the hash than those by which a ShardedTable chooses the shard.
    static std::size_t partition_of(const Key& key) { return hash_of(key) >> 58; }
    const Table& table_of(const Key& key) const { return *tables_[partition_of(key)]; }
    void replace(const Key& key, Table table) {
        tables_[partition_of(key)] = std::make_shared<const Table>(std::move(table));
    }

    // Shared between the generations of a snapshot.
    std::array<std::shared_ptr<const Table>, partition_count> tables_;
};

} // namespace claviger
