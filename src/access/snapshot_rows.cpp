// SPDX-License-Identifier: Apache-2.0
#include "access/snapshot_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "access/permission_sets.h"

namespace claviger {
namespace {

/// Reads only what Uuid::text() writes: another spelling is another subject.
std::optional<Uuid> canonical_uuid(std::string_view text) {
    const auto id = Uuid::parse(text);
    const bool is_upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; });
    return is_upper ? std::nullopt : id;
}

RuleRow row_of(const AccessRule& rule, NodeIndex scope, std::uint32_t subject_hash) {
    RuleRow row;
    row.created_at = rule.created_at;
    row.updated_at = rule.updated_at;
    row.number = rule.id.value;
    row.role = rule.role.value;
    row.scope = scope;
    row.subject_hash = subject_hash;
    return row;
}

/// Shares equal texts and subjects while many rules are read.
class Pool {
public:
    std::shared_ptr<const std::string> share(const std::string& text) {
        auto& shared = texts_[text];
        if (!shared) {
            shared = std::make_shared<const std::string>(text);
        }
        return shared;
    }
    KeptSubject share(const SubjectQuery& query, const Subject& subject) {
        auto& known = subjects_[static_cast<std::size_t>(subject.type)];
        const auto at = known.find(subject.value);
        if (at != known.end()) {
            return at->second;
        }
        KeptSubject kept = query.keep();
        if (const auto* text = std::get_if<std::shared_ptr<const Subject>>(&kept)) {
            known.emplace((*text)->value, *text);
        }
        return kept;
    }

private:
    // Shared with the rows that come to hold the same text.
    std::unordered_map<std::string, std::shared_ptr<const std::string>> texts_;
    std::array<std::unordered_map<std::string_view, std::shared_ptr<const Subject>>, 3> subjects_;
};

} // namespace

SubjectQuery::SubjectQuery(const Subject& subject) : subject_(subject) {
    if (subject.type == SubjectType::service_account) {
        account_ = canonical_uuid(subject.value);
    }
    const std::uint64_t wide = account_ ? hash_of(*account_)
                                        : hash_of(std::string_view(subject.value)) ^
                                              hash_of(static_cast<std::int64_t>(subject.type));
    hash_ = static_cast<std::uint32_t>(wide >> 32);
}

bool SubjectQuery::is_named_by(const RuleRow& row) {
    if (const Uuid* account = std::get_if<Uuid>(&row.subject)) {
        return account_ == *account;
    }
    const Subject* named = std::get<std::shared_ptr<const Subject>>(row.subject).get();
    if (named != same_ && *named == subject_) {
        same_ = named;
    }
    return named == same_;
}

KeptSubject SubjectQuery::keep() const {
    if (account_) {
        return *account_;
    }
    return std::make_shared<const Subject>(subject_);
}

Subject subject_of(const RuleRow& row) {
    if (const Uuid* account = std::get_if<Uuid>(&row.subject)) {
        return {SubjectType::service_account, account->text()};
    }
    return *std::get<std::shared_ptr<const Subject>>(row.subject);
}

const RuleRow* AccessSnapshot::Content::rule(std::int32_t number) const {
    const NumberRow* place = numbers.find(number);
    const RuleRow* found = nullptr;
    if (place != nullptr) {
        rules.for_each_equal(place->subject_hash, [&](const RuleRow& row) {
            found = row.number == number ? &row : found;
        });
    }
    return found;
}

const OwnRole* AccessSnapshot::Content::own_role(std::int32_t number) const {
    if (!own_roles) {
        return nullptr;
    }
    const auto at = own_roles->find(number);
    return at == own_roles->end() ? nullptr : &at->second;
}

const PermissionSet* AccessSnapshot::Content::permissions_in_force(std::int32_t role) const {
    if (const PredefinedRole* predefined = find_role(role)) {
        return &predefined->permissions;
    }
    const OwnRole* own = own_role(role);
    return own != nullptr && own->row.enabled ? &own->permissions : nullptr;
}

void AccessSnapshot::Content::put(const Role& role) {
    OwnRoles roles = own_roles ? *own_roles : OwnRoles();
    roles.erase(role.id.value);
    if (!role.deleted_at && find_role(role.id.value) == nullptr) {
        roles.emplace(role.id.value, OwnRole{role, permissions_of_sets(role.permission_sets)});
    }
    own_roles = std::make_shared<const OwnRoles>(std::move(roles));
}

void AccessSnapshot::Content::put(const AccessRule& rule) {
    remove_rule(rule.id.value);
    const auto scope = tree.find(rule.scope);
    if (!scope || rule.deleted_at) {
        return; // without its scope a rule grants nothing
    }
    const SubjectQuery query(rule.subject);
    RuleRow row = row_of(rule, *scope, query.hash());
    const RuleRow* sibling = nullptr;
    for_each_rule_of(rule.subject, [&](const RuleRow& other) { sibling = &other; });
    row.subject = sibling != nullptr ? sibling->subject : query.keep();
    if (!last_creator || *last_creator != rule.created_by) {
        last_creator = std::make_shared<const std::string>(rule.created_by);
    }
    row.created_by = last_creator;
    tree.add_rules(*scope, 1);
    numbers.add({row.number, row.subject_hash});
    rules.add(std::move(row));
}

void AccessSnapshot::Content::put_first(const std::vector<AccessRule>& first) {
    Pool pool;
    std::map<NodeIndex, std::int32_t> rules_at;
    std::vector<RuleRow> rows;
    std::vector<NumberRow> places;
    rows.reserve(first.size());
    places.reserve(first.size());
    for (const AccessRule& rule : first) {
        const auto scope = tree.find(rule.scope);
        if (!scope || rule.deleted_at || rule.id.tenant != tenant.id) {
            continue; // without its scope a rule grants nothing
        }
        const SubjectQuery query(rule.subject);
        RuleRow& row = rows.emplace_back(row_of(rule, *scope, query.hash()));
        row.subject = pool.share(query, rule.subject);
        row.created_by = pool.share(rule.created_by);
        places.push_back({row.number, row.subject_hash});
        ++rules_at[*scope];
    }
    for (const auto& [node, count] : rules_at) {
        tree.add_rules(node, count);
    }
    rules = decltype(rules)::build(std::move(rows));
    numbers = decltype(numbers)::build(std::move(places));
}

void AccessSnapshot::Content::remove_rule(std::int32_t number) {
    const RuleRow* row = rule(number);
    if (row == nullptr) {
        return;
    }
    tree.add_rules(row->scope, -1);
    numbers.remove(number, [](const NumberRow&) { return true; });
    rules.remove(row->subject_hash, [=](const RuleRow& other) { return other.number == number; });
}

void AccessSnapshot::Content::remove_rules_of_removed_nodes() {
    std::vector<NumberRow> going;
    rules.for_each([&](const RuleRow& row) {
        if (!tree.is_live(row.scope)) {
            going.push_back({row.number, row.subject_hash});
        }
    });
    for (const NumberRow& place : going) {
        numbers.remove(place.number, [](const NumberRow&) { return true; });
        rules.remove(place.subject_hash,
                     [&](const RuleRow& row) { return row.number == place.number; });
    }
}

} // namespace claviger
