// SPDX-License-Identifier: Apache-2.0
#include "api/department_view.h"

#include "auth/org_units.h"

namespace claviger {

DepartmentDetails department_details(const OrgUnit& department) {
    UnitAttributes attributes = attributes_of(department.attributes);
    DepartmentDetails view;
    view.name = department.name;
    view.cluster_id = department.parent.value;
    view.description = department.description;
    view.created_at = department.created_at;
    view.updated_at = department.updated_at;
    view.created_by = department.created_by;
    view.updated_by = department.updated_by;
    view.resources = shown_resources(attributes);
    view.total_resources = total_of(view.resources);
    view.scheduling_rules = attributes.scheduling_rules;
    view.default_node_pools = std::move(attributes.default_node_pools);
    view.node_types = std::move(attributes.node_types);
    view.overtime_data = attributes.overtime_data;
    return view;
}

UnitAttributes DepartmentFields::attributes(std::optional<OvertimeAverages> overtime_data) const {
    UnitAttributes attributes;
    attributes.scheduling_rules = scheduling_rules;
    attributes.default_node_pools = default_node_pools;
    attributes.node_types = node_types;
    attributes.overtime_data = overtime_data;
    attributes.resources = resources;
    return attributes;
}

Result<OrgUnit> make_department(Context& context, const ScopeId& cluster, const std::string& name,
                                const std::optional<OvertimeAverages>& overtime_data,
                                const DepartmentFields& fields) {
    OrgUnitDraft draft;
    draft.type = ScopeType::department;
    draft.parent = cluster;
    draft.name = name;
    draft.description = fields.description.value_or("");
    draft.attributes = TRY(attributes_text(fields.attributes(overtime_data)));
    return context.services.org_units.create(context.caller, draft);
}

Result<OrgUnit> change_department(Context& context, const ScopeId& id,
                                  const DepartmentFields& fields) {
    OrgUnitChange change;
    change.description = fields.description;
    change.attributes = [&fields](const std::string& before) {
        return attributes_text(fields.attributes(attributes_of(before).overtime_data));
    };
    return context.services.org_units.update(context.caller, id, change);
}

} // namespace claviger
