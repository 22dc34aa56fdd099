// SPDX-License-Identifier: Apache-2.0
#include "access/snapshot.h"

#include <algorithm>
#include <unordered_map>

#include "access/snapshot_rows.h"

namespace claviger {
namespace {

constexpr NodeIndex root_node{0};

std::string scope_key(ScopeType type, std::string_view value) {
    std::string key(1, static_cast<char>('0' + static_cast<int>(type)));
    key += value;
    return key;
}

std::shared_ptr<const std::string> shared_text(const std::string& text) {
    return std::make_shared<const std::string>(text);
}

RuleRow row_of(const AccessRule& rule, NodeIndex scope,
               std::shared_ptr<const std::string> created_by) {
    RuleRow row;
    row.number = rule.id.value;
    row.role = rule.role.value;
    row.scope = scope;
    row.subject_type = rule.subject.type;
    if (rule.subject.type == SubjectType::service_account) {
        row.account = Uuid::parse(rule.subject.value).value_or(Uuid{});
    } else {
        row.text = rule.subject.value;
    }
    row.created_by = std::move(created_by);
    row.created_at = rule.created_at;
    row.updated_at = rule.updated_at;
    return row;
}

GrantRow grant_of(const AccessRule& rule, NodeIndex scope) {
    return {hash_of_subject(rule.subject), rule.id.value, rule.role.value, scope};
}

} // namespace

std::uint64_t hash_of_subject(const Subject& subject) {
    const auto kind = static_cast<std::int64_t>(subject.type) + 1;
    return hash_of(std::string_view(subject.value)) ^ hash_of(kind);
}

bool RuleRow::is_for(const Subject& subject) const {
    if (subject.type != subject_type) {
        return false;
    }
    return subject_type == SubjectType::service_account ? Uuid::parse(subject.value) == account
                                                        : subject.value == text;
}

Subject RuleRow::subject() const {
    return {subject_type, subject_type == SubjectType::service_account ? account.text() : text};
}

AccessSnapshot::AccessSnapshot(std::shared_ptr<const Content> data) : data_(std::move(data)) {}

AccessSnapshot::AccessSnapshot(const Tenant& tenant) {
    auto data = std::make_shared<Content>();
    data->tenant = tenant;
    data->nodes = data->nodes.put({root_node, root_node, nullptr, false});
    const ScopeId root = tenant_scope(tenant.id);
    data->scopes = data->scopes.put({scope_key(root.type, root.value), root_node});
    data_ = std::move(data);
}

AccessSnapshot AccessSnapshot::build(const Tenant& tenant, std::vector<OrgUnit> units,
                                     std::vector<AccessRule> rules) {
    AccessSnapshot snapshot(tenant);
    for (const OrgUnit& unit : units) {
        snapshot = snapshot.with(unit);
    }
    std::unordered_map<std::string, std::shared_ptr<const std::string>> creators; // one text each
    std::vector<RuleRow> rows;
    std::vector<GrantRow> grants;
    rows.reserve(rules.size());
    grants.reserve(rules.size());
    for (const AccessRule& rule : rules) {
        const auto scope = snapshot.find(rule.scope);
        if (!scope || rule.deleted_at) {
            continue; // a rule without its scope grants nothing
        }
        auto& creator = creators[rule.created_by];
        if (!creator) {
            creator = shared_text(rule.created_by);
        }
        rows.push_back(row_of(rule, *scope, creator));
        grants.push_back(grant_of(rule, *scope));
    }
    rules = {};
    auto data = std::make_shared<Content>(*snapshot.data_);
    data->rules = ShardedTable<RuleRow, RuleKey>::build(std::move(rows));
    data->grants = ShardedTable<GrantRow, GrantKey>::build(std::move(grants));
    return AccessSnapshot(std::move(data));
}

TenantId AccessSnapshot::tenant() const {
    return data_->tenant.id;
}

NodeIndex AccessSnapshot::root() const {
    return root_node;
}

std::optional<NodeIndex> AccessSnapshot::find(const ScopeId& id) const {
    if (id.tenant != data_->tenant.id) {
        return std::nullopt;
    }
    const std::string key = scope_key(id.type, id.value);
    const ScopeIndexRow* row = data_->scopes.find(std::string_view(key));
    return row == nullptr ? std::nullopt : std::optional(row->node);
}

ScopeId AccessSnapshot::scope_id(NodeIndex node) const {
    const OrgUnit* unit = org_unit(node);
    return unit == nullptr ? tenant_scope(data_->tenant.id) : unit->id;
}

const OrgUnit* AccessSnapshot::org_unit(NodeIndex node) const {
    const NodeRow* row = data_->node(node);
    return row == nullptr ? nullptr : row->unit.get();
}

std::string_view AccessSnapshot::name(NodeIndex node) const {
    const OrgUnit* unit = org_unit(node);
    return unit == nullptr ? std::string_view(data_->tenant.name) : std::string_view(unit->name);
}

std::optional<NodeIndex> AccessSnapshot::parent(NodeIndex node) const {
    const NodeRow* row = data_->node(node);
    return row == nullptr || node == root_node ? std::nullopt : std::optional(row->parent);
}

bool AccessSnapshot::is_same_or_below(NodeIndex node, NodeIndex ancestor) const {
    for (std::optional<NodeIndex> at = node; at; at = parent(*at)) {
        if (*at == ancestor) {
            return true;
        }
    }
    return false;
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
    std::vector<const NodeRow*> rows;
    data_->nodes.for_each([&](const NodeRow& row) {
        if (row.unit != nullptr && !row.removed && row.unit->id.type == type) {
            rows.push_back(&row);
        }
    });
    std::ranges::sort(rows, {}, [](const NodeRow* row) { return row->index; });
    for (const NodeRow* row : rows) {
        visit(row->index, *row->unit);
    }
}

std::size_t AccessSnapshot::node_count() const {
    return data_->scopes.size();
}

namespace {

AccessRule rule_of(const AccessSnapshot& snapshot, const RuleRow& row) {
    const TenantId tenant = snapshot.tenant();
    return {{tenant, row.number}, row.subject(),  {tenant, row.role}, snapshot.scope_id(row.scope),
            *row.created_by,      row.created_at, row.updated_at,     std::nullopt};
}

} // namespace

std::optional<AccessRule> AccessSnapshot::rule(AccessRuleId id) const {
    const RuleRow* row = data_->rules.find(id.value);
    if (row == nullptr || id.tenant != data_->tenant.id) {
        return std::nullopt;
    }
    return rule_of(*this, *row);
}

std::size_t AccessSnapshot::rule_count() const {
    return data_->rules.size();
}

void AccessSnapshot::for_each_rule(const std::function<void(const AccessRule&)>& visit) const {
    data_->rules.for_each([&](const RuleRow& row) { visit(rule_of(*this, row)); });
}

void AccessSnapshot::for_each_rule_of(const Subject& subject,
                                      const std::function<void(const AccessRule&)>& visit) const {
    data_->for_each_grant(subject, [&](const GrantRow& grant) {
        visit(rule_of(*this, *data_->rules.find(grant.rule)));
    });
}

AccessSnapshot AccessSnapshot::with(const Tenant& tenant) const {
    auto next = std::make_shared<Content>(*data_);
    next->tenant = tenant;
    return AccessSnapshot(std::move(next));
}

AccessSnapshot AccessSnapshot::with(const OrgUnit& unit) const {
    const auto parent = find(unit.parent);
    const auto known = find(unit.id);
    if (!parent || unit.id.tenant != data_->tenant.id || (unit.deleted_at && !known)) {
        return *this;
    }
    auto next = std::make_shared<Content>(*data_);
    const NodeIndex node = known.value_or(NodeIndex{next->next_node});
    next->next_node += known ? 0U : 1U;
    const std::string key = scope_key(unit.id.type, unit.id.value);
    if (unit.deleted_at) {
        next->scopes = next->scopes.remove(std::string_view(key));
    } else if (!known) {
        next->scopes = next->scopes.put({key, node});
    }
    next->nodes = next->nodes.put(
        {node, *parent, std::make_shared<const OrgUnit>(unit), unit.deleted_at.has_value()});
    return AccessSnapshot(std::move(next));
}

AccessSnapshot AccessSnapshot::with(const AccessRule& rule) const {
    if (rule.id.tenant != data_->tenant.id) {
        return *this;
    }
    auto next = std::make_shared<Content>(*data_);
    if (const RuleRow* old = data_->rules.find(rule.id.value)) {
        const auto hash = static_cast<std::int64_t>(hash_of_subject(old->subject()));
        next->grants = next->grants.remove(
            hash, [&](const GrantRow& grant) { return grant.rule == rule.id.value; });
        next->rules = next->rules.remove(rule.id.value);
    }
    const auto scope = find(rule.scope);
    if (scope && !rule.deleted_at) {
        next->rules = next->rules.put(row_of(rule, *scope, shared_text(rule.created_by)));
        next->grants = next->grants.add(grant_of(rule, *scope));
    }
    return AccessSnapshot(std::move(next));
}

} // namespace claviger
