// SPDX-License-Identifier: Apache-2.0
// The compact rows that a snapshot is made of: 80 bytes a rule with both indexes, and the texts of
// users and groups once each. Private to the module.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "access/node_tree.h"
#include "access/partitioned_table.h"

namespace claviger {

/// A service account by its id; a user or a group in full, shared by the rules that name it.
using KeptSubject = std::variant<Uuid, std::shared_ptr<const Subject>>;

/// The rules of one subject stand side by side, so that a decision reads one place.
struct RuleRow {
    KeptSubject subject;
    std::shared_ptr<const std::string> created_by; // shared: few people create many rules
    Timestamp created_at;
    Timestamp updated_at;
    std::int32_t number = 0;
    std::int32_t role = 0;
    NodeIndex scope{}; // live: rules go with their scope
    std::uint32_t subject_hash = 0;
};
static_assert(sizeof(RuleRow) <= 72, "there may be a million");

struct RuleKey {
    std::int64_t operator()(const RuleRow& row) const { return row.subject_hash; }
};

/// From a rule's number to the place where its row stands.
struct NumberRow {
    std::int32_t number = 0;
    std::uint32_t subject_hash = 0;
};
struct NumberKey {
    std::int64_t operator()(const NumberRow& row) const { return row.number; }
};

/// What a look-up needs to know of a subject, worked out once and without allocating.
class SubjectQuery {
public:
    /// `subject` must outlive this.
    explicit SubjectQuery(const Subject& subject);
    std::uint32_t hash() const { return hash_; }
    /// Compares in full, because equal hashes prove nothing, once for each text.
    bool is_named_by(const RuleRow& row);
    /// What a new row keeps when no other row names the subject yet.
    KeptSubject keep() const;

private:
    const Subject& subject_;
    std::optional<Uuid> account_;
    const Subject* same_ = nullptr; // of rows, found equal
    std::uint32_t hash_ = 0;
};

Subject subject_of(const RuleRow& row);

/// The roles that a tenant has made, by number.
using OwnRoles = std::map<std::int32_t, OwnRole>;

struct AccessSnapshot::Content {
    explicit Content(const Tenant& of) : tenant(of), tree(of.id) {}

    Tenant tenant;
    NodeTree tree;
    /// Shared between the generations; null while there are none.
    std::shared_ptr<const OwnRoles> own_roles;
    PartitionedTable<RuleRow, RuleKey, true> rules; // every decision looks here
    PartitionedTable<NumberRow, NumberKey> numbers;
    /// The last rule's creator: shared, because one caller often makes many rules in a row.
    std::shared_ptr<const std::string> last_creator;

    const RuleRow* rule(std::int32_t number) const;
    const OwnRole* own_role(std::int32_t number) const;
    /// What a role lets its holders do now: null for an unknown or a disabled one.
    const PermissionSet* permissions_in_force(std::int32_t role) const;
    template <class Visit>
    void for_each_rule_of(const Subject& subject, Visit visit) const {
        SubjectQuery query(subject);
        for_each_rule_of(query, visit);
    }
    template <class Visit>
    void for_each_rule_of(SubjectQuery& query, Visit visit) const {
        rules.for_each_equal(query.hash(), [&](const RuleRow& row) {
            if (query.is_named_by(row)) {
                visit(row);
            }
        });
    }

    // While a snapshot is being made.
    void put(const Role& role);
    void put(const AccessRule& rule);
    /// Many at once, while there are none; no number stands among them twice.
    void put_first(const std::vector<AccessRule>& first);
    void remove_rule(std::int32_t number);
    void remove_rules_of_removed_nodes();
};

} // namespace claviger
