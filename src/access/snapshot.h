// SPDX-License-Identifier: Apache-2.0
// One tenant's tree and access rules as an immutable value: what every decision reads. A change
// makes a new snapshot that shares nearly everything with the old one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "access/permission.h"
#include "access/role.h"
#include "model/model.h"

namespace claviger {

/// A node of the tree inside one snapshot; small and cheap to compare. Never outlives the snapshot
/// lineage's tenant; removed nodes keep their index and are never reused.
enum class NodeIndex : std::uint32_t {};

/// What a live rule says, read where it stands: nothing is copied, and texts are not even looked at
/// until they are asked for. Never outlives its snapshot.
struct RuleInPlace {
    std::int32_t number = 0;
    std::int32_t role = 0;
    NodeIndex scope{};
    const Uuid* account = nullptr;        // the subject, when it is a service account
    const Subject* named = nullptr;       // when it is not; rules of one subject share it
    const std::string* creator = nullptr; // likewise
    Timestamp created_at;
    Timestamp updated_at;

    SubjectType subject_type() const {
        return account != nullptr ? SubjectType::service_account : named->type;
    }
    Subject subject() const {
        return account != nullptr ? Subject{SubjectType::service_account, account->text()} : *named;
    }
};

class AccessSnapshot {
public:
    /// A tree that is only the tenant's root, without rules.
    explicit AccessSnapshot(const Tenant& tenant);
    /// Builds a snapshot of many rows at once, in any order, for start-up. No id may stand twice.
    static AccessSnapshot build(const Tenant& tenant, const std::vector<OrgUnit>& units,
                                const std::vector<AccessRule>& rules,
                                const std::vector<Role>& roles = {});

    /// Likewise, with roles that say themselves what they hold. They must have numbers of own ones.
    static AccessSnapshot build_with(const Tenant& tenant, const std::vector<OrgUnit>& units,
                                     const std::vector<AccessRule>& rules,
                                     std::vector<OwnRole> roles);

    TenantId tenant() const;

    // The tree.
    NodeIndex root() const;
    /// Absent for another tenant's id, an unknown or a removed node.
    std::optional<NodeIndex> find(const ScopeId& id) const;
    ScopeId scope_id(NodeIndex node) const;
    /// The row of a cluster, department or project, removed or not; null for the root.
    const OrgUnit* org_unit(NodeIndex node) const;
    std::string_view name(NodeIndex node) const; // the tenant's name for the root
    std::optional<NodeIndex> parent(NodeIndex node) const;
    /// False when `node` has been removed.
    bool is_same_or_below(NodeIndex node, NodeIndex ancestor) const;
    /// "tenant/cluster/department/project" names from the top.
    std::string path(NodeIndex node) const;
    /// Live units of one type, in the order of creation.
    void for_each_unit(ScopeType type,
                       const std::function<void(NodeIndex, const OrgUnit&)>& visit) const;

    // The roles, predefined and the tenant's own.
    /// What a role holds, enabled or not; null for an unknown one.
    const PermissionSet* permissions_of_role(std::int32_t number) const;
    /// Empty for an unknown one.
    std::string_view role_name(std::int32_t number) const;
    const OwnRole* own_role(std::int32_t number) const;
    /// In the order of their numbers.
    void for_each_own_role(const std::function<void(const OwnRole&)>& visit) const;

    // The rules.
    std::optional<AccessRule> rule(AccessRuleId id) const;
    std::size_t rule_count() const;
    /// Of every live rule, in no order.
    void for_each_rule_number(const std::function<void(std::int32_t)>& visit) const;
    /// Every live rule, in no order.
    void for_each_rule(const std::function<void(const RuleInPlace&)>& visit) const;
    void for_each_rule_of(const Subject& subject,
                          const std::function<void(const AccessRule&)>& visit) const;
    /// Likewise, as for_each_rule() shows them.
    void for_each_rule_in_place_of(const Subject& subject,
                                   const std::function<void(const RuleInPlace&)>& visit) const;

    struct Content; // in snapshot_rows.h, for this module only

    /// Changes to a snapshot, which stays as it is: any number of rows, then the next snapshot. A
    /// row with `deleted_at` removes; a node takes all that is below it and the rules that stand
    /// there along. A unit without a live parent of a higher type, a rule without a live scope and
    /// another tenant's row are left out.
    class Change {
    public:
        explicit Change(const AccessSnapshot& before);
        void put(const Tenant& tenant);
        void put(const Role& role);
        void put(const OrgUnit& unit);
        void put(const AccessRule& rule);
        /// Call once.
        AccessSnapshot finish();

    private:
        std::shared_ptr<Content> next_; // shared with readers once it is complete
        bool rules_lost_their_scope_ = false;
    };
    template <class Row>
    AccessSnapshot with(const Row& row) const {
        Change change(*this);
        change.put(row);
        return change.finish();
    }

private:
    explicit AccessSnapshot(std::shared_ptr<const Content> content);
    static std::shared_ptr<Content> begin(const Tenant& tenant, const std::vector<OrgUnit>& units);
    std::shared_ptr<const Content> content_; // shared: copies of a snapshot are the same snapshot
    friend struct Decider;
};

} // namespace claviger
