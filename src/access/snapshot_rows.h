// SPDX-License-Identifier: Apache-2.0
// The compact rows that a snapshot is made of. Private to the module.
#pragma once

#include <memory>
#include <string>

#include "access/snapshot.h"
#include "base/sharded_table.h"

namespace claviger {

struct NodeRow {
    NodeIndex index{};
    NodeIndex parent{};
    std::shared_ptr<const OrgUnit> unit; // shared between snapshots; null for the root
    bool removed = false;
};
struct NodeKey {
    std::int64_t operator()(const NodeRow& row) const {
        return static_cast<std::int64_t>(row.index);
    }
};

/// From "project 12" to a node.
struct ScopeIndexRow {
    std::string key;
    NodeIndex node{};
};
struct ScopeIndexKey {
    std::string_view operator()(const ScopeIndexRow& row) const { return row.key; }
};

/// A rule without what can be looked up: about a hundred bytes.
struct RuleRow {
    std::int32_t number = 0;
    std::int32_t role = 0;
    NodeIndex scope{};
    SubjectType subject_type{};
    Uuid account;                                  // of a service account
    std::string text;                              // of a user or group
    std::shared_ptr<const std::string> created_by; // shared: few people create many rules
    Timestamp created_at;
    Timestamp updated_at;

    bool is_for(const Subject& subject) const;
    Subject subject() const;
};
struct RuleKey {
    std::int64_t operator()(const RuleRow& row) const { return row.number; }
};

/// What a decision reads of a rule, found by the hash of the subject.
struct GrantRow {
    std::uint64_t subject_hash = 0;
    std::int32_t rule = 0;
    std::int32_t role = 0;
    NodeIndex scope{};
};
struct GrantKey {
    std::int64_t operator()(const GrantRow& row) const {
        return static_cast<std::int64_t>(row.subject_hash);
    }
};

std::uint64_t hash_of_subject(const Subject& subject);

struct AccessSnapshot::Content {
    Tenant tenant;
    ShardedTable<NodeRow, NodeKey> nodes;
    ShardedTable<ScopeIndexRow, ScopeIndexKey> scopes; // live ones only
    ShardedTable<RuleRow, RuleKey> rules;
    ShardedTable<GrantRow, GrantKey> grants;
    std::uint32_t next_node = 1; // 0 is the root

    const NodeRow* node(NodeIndex index) const {
        return nodes.find(static_cast<std::int64_t>(index));
    }
    /// Visits the grants that are really this subject's, not only those of its hash.
    template <class Visit>
    void for_each_grant(const Subject& subject, Visit visit) const {
        const auto hash = static_cast<std::int64_t>(hash_of_subject(subject));
        grants.for_each_equal(hash, [&](const GrantRow& grant) {
            const RuleRow* rule = rules.find(grant.rule);
            if (rule != nullptr && rule->is_for(subject)) {
                visit(grant);
            }
        });
    }
};

} // namespace claviger
