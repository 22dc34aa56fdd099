// SPDX-License-Identifier: Apache-2.0
// Departments as answers show them and as requests set them (contract 3.2), for the operations of
// today and for those of earlier days, where ids are integers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/org_unit_view.h"
#include "api/unit_attributes.h"

namespace claviger {

/// Everything but the ids and what the department's projects add.
struct DepartmentDetails {
    std::string name, cluster_id, description;
    Timestamp created_at, updated_at;
    std::string created_by, updated_by;
    TotalResources total_resources;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<OvertimeAverages> overtime_data;
    std::vector<Resources> resources;
};

DepartmentDetails department_details(const OrgUnit& department);

/// What may be set when a department is made, and changed later.
struct DepartmentFields {
    std::optional<std::string> description;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<std::vector<Resources>> resources;

    UnitAttributes attributes(std::optional<OvertimeAverages> overtime_data) const;
};

Result<OrgUnit> make_department(Context& context, const ScopeId& cluster, const std::string& name,
                                const std::optional<OvertimeAverages>& overtime_data,
                                const DepartmentFields& fields);
Result<OrgUnit> change_department(Context& context, const ScopeId& id,
                                  const DepartmentFields& fields);

} // namespace claviger
