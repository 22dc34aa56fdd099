// SPDX-License-Identifier: Apache-2.0
// Projects as answers show them and as requests set them (contract 3.3), for the operations of
// today and for those of earlier days, where ids are integers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/org_unit_view.h"
#include "api/unit_attributes.h"

namespace claviger {

/// What holds for the project: its own setting, or the department's where it has none.
struct ProjectEffective {
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
};
BOOST_DESCRIBE_STRUCT(ProjectEffective, (), (scheduling_rules, default_node_pools, node_types))

struct ProjectStatus {
    std::string phase;
    std::string namespace_; // the plain word is C++'s
    QuotaStatus quota_status;
};
BOOST_DESCRIBE_STRUCT(ProjectStatus, (), (phase, namespace_, quota_status))

/// Everything but the ids.
struct ProjectDetails {
    std::string name, cluster_id, description;
    Nullable<std::string> requested_namespace;
    bool enforce_runai_scheduler = true;
    Timestamp created_at, updated_at;
    std::string created_by, updated_by;
    ProjectStatus status;
    TotalResources total_resources;
    ProjectEffective effective;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::vector<Resources> resources;
};

/// `department` may be null.
ProjectDetails project_details(const OrgUnit& project, const OrgUnit* department);
const OrgUnit* department_of(const AccessSnapshot& access, const OrgUnit& project);

/// What may be set when a project is made, and changed later.
struct ProjectFields {
    std::optional<std::string> description;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<bool> enforce_runai_scheduler;
    std::optional<std::vector<Resources>> resources;

    UnitAttributes attributes(std::optional<std::string> requested_namespace) const;
};

/// The department that is named, or the cluster's default one.
Result<NodeIndex> department_in(const Context& context, NodeIndex cluster,
                                const std::optional<std::string>& id, std::string_view field);

Result<OrgUnit> make_project(Context& context, NodeIndex department, const std::string& name,
                             const std::optional<std::string>& requested_namespace,
                             const ProjectFields& fields);
Result<OrgUnit> change_project(Context& context, const ScopeId& id, const ProjectFields& fields);

} // namespace claviger
