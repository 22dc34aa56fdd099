// SPDX-License-Identifier: Apache-2.0
// The tree of one tenant inside a snapshot: rows by index, found by scope id. Copies share nearly
// everything; a change copies one chunk of rows. Private to the module.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "access/partitioned_table.h"
#include "access/snapshot.h"

namespace claviger {

struct NodeRow {
    NodeIndex parent{};
    std::uint32_t rules = 0;             // that stand at this very node
    bool removed = false;                // what is below a removed node is removed as well
    std::shared_ptr<const OrgUnit> unit; // shared between snapshots; null for the root
};

class NodeTree {
public:
    static constexpr NodeIndex root{0};

    explicit NodeTree(TenantId tenant);

    /// Absent for another tenant's id, an unknown or a removed node.
    std::optional<NodeIndex> find(const ScopeId& id) const;
    /// A removed node's row as well; null for an index that was never given.
    const NodeRow* row(NodeIndex node) const;
    bool is_live(NodeIndex node) const;
    /// False for a removed node.
    bool is_same_or_below(NodeIndex node, NodeIndex ancestor) const;

    template <class Visit>
    void for_each_live_unit(Visit visit) const {
        for (std::uint32_t i = 1; i < size_; ++i) {
            const NodeRow& at = *row(NodeIndex{i});
            if (!at.removed) {
                visit(NodeIndex{i}, *at.unit);
            }
        }
    }

    // Changes leave copies of this tree as they are.
    /// Adds or replaces a unit. One whose parent is not a live node of a higher type is left out:
    /// so no row can make a circle.
    void put(const OrgUnit& unit);
    /// Removes a node and all below it; returns how many rules stood there.
    std::size_t remove(NodeIndex node);
    void add_rules(NodeIndex node, std::int32_t change);

private:
    static constexpr std::size_t rows_per_chunk = 64;
    using Chunk = std::array<NodeRow, rows_per_chunk>;

    struct IndexRow {
        std::uint32_t hash = 0;
        NodeIndex node{};
    };
    struct IndexKey {
        std::int64_t operator()(const IndexRow& row) const { return row.hash; }
    };

    static std::uint32_t hash_of_scope(const ScopeId& id);
    void replace_row(NodeIndex node, NodeRow row);
    void forget(NodeIndex node);

    TenantId tenant_;
    std::vector<std::shared_ptr<const Chunk>> chunks_; // shared between the generations
    std::uint32_t size_ = 0;                           // rows, with the root and removed ones
    PartitionedTable<IndexRow, IndexKey> index_;       // live units
};

} // namespace claviger
