// SPDX-License-Identifier: Apache-2.0
#include "access/node_tree.h"

#include <algorithm>

namespace claviger {

NodeTree::NodeTree(TenantId tenant) : tenant_(tenant) {
    replace_row(root, {});
}

std::uint32_t NodeTree::hash_of_scope(const ScopeId& id) {
    const auto type = static_cast<std::int64_t>(id.type);
    return static_cast<std::uint32_t>((hash_of(std::string_view(id.value)) ^ hash_of(type)) >> 32);
}

std::optional<NodeIndex> NodeTree::find(const ScopeId& id) const {
    if (id.type == ScopeType::tenant) {
        return id == tenant_scope(tenant_) ? std::optional(root) : std::nullopt;
    }
    std::optional<NodeIndex> found;
    index_.for_each_equal(hash_of_scope(id), [&](const IndexRow& entry) {
        if (row(entry.node)->unit->id == id) {
            found = entry.node;
        }
    });
    return found;
}

const NodeRow* NodeTree::row(NodeIndex node) const {
    const auto at = static_cast<std::uint32_t>(node);
    return at < size_ ? &(*chunks_[at / rows_per_chunk])[at % rows_per_chunk] : nullptr;
}

bool NodeTree::is_live(NodeIndex node) const {
    const NodeRow* found = row(node);
    return found != nullptr && !found->removed;
}

bool NodeTree::is_same_or_below(NodeIndex node, NodeIndex ancestor) const {
    if (!is_live(node)) {
        return false;
    }
    while (node != ancestor && node != root) {
        node = row(node)->parent;
    }
    return node == ancestor;
}

void NodeTree::replace_row(NodeIndex node, NodeRow row) {
    const auto at = static_cast<std::uint32_t>(node);
    const std::size_t number = at / rows_per_chunk;
    if (number == chunks_.size()) {
        chunks_.push_back(std::make_shared<const Chunk>());
    }
    auto chunk = std::make_shared<Chunk>(*chunks_[number]); // shared from here on
    (*chunk)[at % rows_per_chunk] = std::move(row);
    chunks_[number] = std::move(chunk);
    size_ = std::max(size_, at + 1);
}

void NodeTree::put(const OrgUnit& unit) {
    const auto parent = find(unit.parent);
    if (!parent || unit.id.tenant != tenant_ || unit.id.type <= unit.parent.type) {
        return;
    }
    const auto known = find(unit.id);
    const NodeIndex node = known.value_or(NodeIndex{size_});
    const std::uint32_t rules = known ? row(node)->rules : 0;
    replace_row(node, {*parent, rules, false, std::make_shared<const OrgUnit>(unit)});
    if (!known) {
        index_.add({hash_of_scope(unit.id), node});
    }
}

std::size_t NodeTree::remove(NodeIndex node) {
    std::vector<NodeIndex> going{node};
    if (row(node)->unit->id.type != ScopeType::project) { // nothing is below a project
        for_each_live_unit([&](NodeIndex other, const OrgUnit&) {
            if (other != node && is_same_or_below(other, node)) {
                going.push_back(other);
            }
        });
    }
    std::size_t rules = 0;
    for (const NodeIndex each : going) {
        rules += row(each)->rules;
        forget(each);
    }
    return rules;
}

void NodeTree::forget(NodeIndex node) {
    NodeRow gone = *row(node);
    index_.remove(hash_of_scope(gone.unit->id),
                  [&](const IndexRow& entry) { return entry.node == node; });
    gone.removed = true;
    gone.rules = 0;
    replace_row(node, std::move(gone));
}

void NodeTree::add_rules(NodeIndex node, std::int32_t change) {
    NodeRow changed = *row(node);
    changed.rules += static_cast<std::uint32_t>(change);
    replace_row(node, std::move(changed));
}

} // namespace claviger
