// SPDX-License-Identifier: Apache-2.0
// Rows for the tests of this module.
#pragma once

#include "access/snapshot.h"

namespace claviger {

inline constexpr TenantId tenant_id{1};
inline constexpr std::int32_t viewer = 7;

inline Tenant make_tenant(const std::string& name = "acme") {
    Tenant tenant;
    tenant.id = tenant_id;
    tenant.name = name;
    tenant.realm = name;
    return tenant;
}

inline OrgUnit make_unit(ScopeType type, const std::string& value, const ScopeId& parent) {
    OrgUnit unit;
    unit.id = {tenant_id, type, value};
    unit.parent = parent;
    unit.name = "unit-" + value;
    return unit;
}

inline AccessRule make_rule(std::int32_t number, const Subject& subject, std::int32_t role,
                            const ScopeId& scope) {
    AccessRule rule;
    rule.id = {tenant_id, number};
    rule.subject = subject;
    rule.role = {tenant_id, role};
    rule.scope = scope;
    rule.created_by = "admin@example.com";
    rule.created_at = Timestamp{number};
    rule.updated_at = Timestamp{number + 1};
    return rule;
}

template <class Row>
Row removed(Row row) {
    row.deleted_at = Timestamp{1};
    return row;
}

inline std::size_t rule_count(const AccessSnapshot& snapshot) {
    std::size_t count = 0;
    snapshot.for_each_rule([&](const RuleInPlace&) { ++count; });
    return count;
}

/// With the root.
inline std::size_t node_count(const AccessSnapshot& snapshot) {
    std::size_t count = 1;
    for (const ScopeType type : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        snapshot.for_each_unit(type, [&](NodeIndex, const OrgUnit&) { ++count; });
    }
    return count;
}

inline Permission permission(std::string_view type, Action action) {
    return {*find_resource_type(type), action};
}

} // namespace claviger
