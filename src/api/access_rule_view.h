// SPDX-License-Identifier: Apache-2.0
// Access rules as the API shows them, and the fields that lists filter and sort by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/context.h"
#include "api/filter.h"
#include "api/scope_text.h"

namespace claviger {

struct AccessRuleStatus {
    std::string phase = "Ready";
};
BOOST_DESCRIBE_STRUCT(AccessRuleStatus, (), (phase))

struct AccessRuleView {
    std::int32_t id = 0;
    std::string subject_id;
    SubjectTypeText subject_type;
    std::int32_t role_id = 0;
    std::string role_name;
    std::string scope_id;
    ScopeTypeText scope_type;
    std::string scope_name;
    std::optional<std::string> cluster_id;
    Timestamp created_at, updated_at;
    Nullable<Timestamp> deleted_at;
    std::string created_by;
    std::int32_t tenant_id = 0;
    AccessRuleStatus status;
};
BOOST_DESCRIBE_STRUCT(AccessRuleView, (),
                      (id, subject_id, subject_type, role_id, role_name, scope_id, scope_type,
                       scope_name, cluster_id, created_at, updated_at, deleted_at, created_by,
                       tenant_id, status))

/// The UUID of the cluster that a node lies in; absent for the tenant.
std::optional<std::string> cluster_of(const AccessSnapshot& access, std::optional<NodeIndex> node);

AccessRuleView access_rule_view(const TenantState& state, const AccessRule& rule);

/// Free text search over the name-like columns.
bool access_rule_found(const AccessRuleView& view, std::string_view search);

/// A live or a deleted rule while a list is walked: nothing is copied before it is shown.
struct ListedRule {
    const TenantState& state;
    const RuleInPlace& rule; // a deleted one's scope is to be looked up
    const AccessRule* deleted = nullptr;

    std::string subject() const;
    ScopeId scope_id() const;
    /// Absent when the scope is gone.
    std::optional<NodeIndex> scope() const;
    std::string_view role_name() const;
    std::string_view scope_name() const;
};

/// What a deleted rule says, but for its scope.
RuleInPlace without_scope(const AccessRule& deleted);

const std::vector<ListField<ListedRule>>& access_rule_fields();

} // namespace claviger
