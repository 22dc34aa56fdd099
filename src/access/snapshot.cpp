// SPDX-License-Identifier: Apache-2.0
#include "access/snapshot.h"

#include <array>
#include <utility>

#include "access/snapshot_rows.h"

namespace claviger {

AccessSnapshot::AccessSnapshot(std::shared_ptr<const Content> content)
    : content_(std::move(content)) {}

AccessSnapshot::AccessSnapshot(const Tenant& tenant)
    : content_(std::make_shared<const Content>(tenant)) {}

std::shared_ptr<AccessSnapshot::Content> AccessSnapshot::begin(const Tenant& tenant,
                                                               const std::vector<OrgUnit>& units) {
    auto content = std::make_shared<Content>(tenant); // shared with readers once it is complete
    for (const ScopeType type : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        for (const OrgUnit& unit : units) { // so parents come first
            if (unit.id.type == type && !unit.deleted_at) {
                content->tree.put(unit);
            }
        }
    }
    return content;
}

AccessSnapshot AccessSnapshot::build(const Tenant& tenant, const std::vector<OrgUnit>& units,
                                     const std::vector<AccessRule>& rules,
                                     const std::vector<Role>& roles) {
    auto content = begin(tenant, units);
    for (const Role& role : roles) {
        content->put(role);
    }
    content->put_first(rules);
    return AccessSnapshot(std::move(content));
}

AccessSnapshot AccessSnapshot::build_with(const Tenant& tenant, const std::vector<OrgUnit>& units,
                                          const std::vector<AccessRule>& rules,
                                          std::vector<OwnRole> roles) {
    auto content = begin(tenant, units);
    OwnRoles own;
    for (OwnRole& role : roles) {
        const std::int32_t number = role.row.id.value;
        own.insert_or_assign(number, std::move(role));
    }
    content->own_roles = std::make_shared<const OwnRoles>(std::move(own));
    content->put_first(rules);
    return AccessSnapshot(std::move(content));
}

TenantId AccessSnapshot::tenant() const {
    return content_->tenant.id;
}

NodeIndex AccessSnapshot::root() const {
    return NodeTree::root;
}

std::optional<NodeIndex> AccessSnapshot::find(const ScopeId& id) const {
    return content_->tree.find(id);
}

ScopeId AccessSnapshot::scope_id(NodeIndex node) const {
    const OrgUnit* unit = org_unit(node);
    return unit == nullptr ? tenant_scope(content_->tenant.id) : unit->id;
}

const OrgUnit* AccessSnapshot::org_unit(NodeIndex node) const {
    const NodeRow* row = content_->tree.row(node);
    return row == nullptr ? nullptr : row->unit.get();
}

std::string_view AccessSnapshot::name(NodeIndex node) const {
    const OrgUnit* unit = org_unit(node);
    return unit == nullptr ? std::string_view(content_->tenant.name) : std::string_view(unit->name);
}

std::optional<NodeIndex> AccessSnapshot::parent(NodeIndex node) const {
    const NodeRow* row = content_->tree.row(node);
    return row == nullptr || node == root() ? std::nullopt : std::optional(row->parent);
}

bool AccessSnapshot::is_same_or_below(NodeIndex node, NodeIndex ancestor) const {
    return content_->tree.is_same_or_below(node, ancestor);
}

std::string AccessSnapshot::path(NodeIndex node) const {
    std::string text(name(node));
    for (auto at = parent(node); at; at = parent(*at)) {
        text.insert(0, std::string(name(*at)) + "/");
    }
    return text;
}

void AccessSnapshot::for_each_unit(
    ScopeType type, const std::function<void(NodeIndex, const OrgUnit&)>& visit) const {
    content_->tree.for_each_live_unit([&](NodeIndex node, const OrgUnit& unit) {
        if (unit.id.type == type) {
            visit(node, unit);
        }
    });
}

namespace {

AccessRule rule_of(const AccessSnapshot& snapshot, const RuleRow& row) {
    const TenantId tenant = snapshot.tenant();
    return {{tenant, row.number}, subject_of(row), {tenant, row.role}, snapshot.scope_id(row.scope),
            *row.created_by,      row.created_at,  row.updated_at,     std::nullopt};
}

RuleInPlace in_place(const RuleRow& row) {
    const auto* named = std::get_if<std::shared_ptr<const Subject>>(&row.subject);
    return {row.number,
            row.role,
            row.scope,
            std::get_if<Uuid>(&row.subject),
            named != nullptr ? named->get() : nullptr,
            row.created_by.get(),
            row.created_at,
            row.updated_at};
}

} // namespace

std::optional<AccessRule> AccessSnapshot::rule(AccessRuleId id) const {
    const RuleRow* row = id.tenant == content_->tenant.id ? content_->rule(id.value) : nullptr;
    return row == nullptr ? std::nullopt : std::optional(rule_of(*this, *row));
}

std::size_t AccessSnapshot::rule_count() const {
    return content_->numbers.size();
}

void AccessSnapshot::for_each_rule_number(const std::function<void(std::int32_t)>& visit) const {
    content_->numbers.for_each([&](const NumberRow& row) { visit(row.number); });
}

void AccessSnapshot::for_each_rule(const std::function<void(const RuleInPlace&)>& visit) const {
    // Subjects stand all over the memory: they are fetched while the rules before theirs are
    // visited.
    constexpr std::size_t ahead = 16;
    std::array<const RuleRow*, ahead> rows{};
    std::size_t count = 0;
    content_->rules.for_each([&](const RuleRow& row) {
        const RuleRow*& place = rows[count++ % ahead];
        if (const RuleRow* next = std::exchange(place, &row)) {
            visit(in_place(*next));
        }
        __builtin_prefetch(in_place(row).named);
    });
    for (std::size_t i = 0; i < ahead; ++i) {
        if (const RuleRow* next = rows[count++ % ahead]) {
            visit(in_place(*next));
        }
    }
}

void AccessSnapshot::for_each_rule_of(const Subject& subject,
                                      const std::function<void(const AccessRule&)>& visit) const {
    content_->for_each_rule_of(subject, [&](const RuleRow& row) { visit(rule_of(*this, row)); });
}

void AccessSnapshot::for_each_rule_in_place_of(
    const Subject& subject, const std::function<void(const RuleInPlace&)>& visit) const {
    content_->for_each_rule_of(subject, [&](const RuleRow& row) { visit(in_place(row)); });
}

const PermissionSet* AccessSnapshot::permissions_of_role(std::int32_t number) const {
    if (const PredefinedRole* predefined = find_role(number)) {
        return &predefined->permissions;
    }
    const OwnRole* own = own_role(number);
    return own != nullptr ? &own->permissions : nullptr;
}

std::string_view AccessSnapshot::role_name(std::int32_t number) const {
    if (const PredefinedRole* predefined = find_role(number)) {
        return predefined->name;
    }
    const OwnRole* own = own_role(number);
    return own != nullptr ? std::string_view(own->row.name) : std::string_view();
}

const OwnRole* AccessSnapshot::own_role(std::int32_t number) const {
    return content_->own_role(number);
}

void AccessSnapshot::for_each_own_role(const std::function<void(const OwnRole&)>& visit) const {
    if (content_->own_roles) {
        for (const auto& [number, role] : *content_->own_roles) {
            visit(role);
        }
    }
}

AccessSnapshot::Change::Change(const AccessSnapshot& before)
    : next_(std::make_shared<Content>(*before.content_)) {}

void AccessSnapshot::Change::put(const Tenant& tenant) {
    if (tenant.id == next_->tenant.id) {
        next_->tenant = tenant;
    }
}

void AccessSnapshot::Change::put(const Role& role) {
    if (role.id.tenant == next_->tenant.id) {
        next_->put(role);
    }
}

void AccessSnapshot::Change::put(const OrgUnit& unit) {
    if (!unit.deleted_at) {
        next_->tree.put(unit);
        return;
    }
    const auto node = next_->tree.find(unit.id);
    if (node && *node != NodeTree::root) {
        rules_lost_their_scope_ = next_->tree.remove(*node) != 0 || rules_lost_their_scope_;
    }
}

void AccessSnapshot::Change::put(const AccessRule& rule) {
    if (rule.id.tenant == next_->tenant.id) {
        next_->put(rule);
    }
}

AccessSnapshot AccessSnapshot::Change::finish() {
    if (rules_lost_their_scope_) {
        next_->remove_rules_of_removed_nodes();
    }
    return AccessSnapshot(std::move(next_));
}

} // namespace claviger
