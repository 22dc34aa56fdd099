// SPDX-License-Identifier: Apache-2.0
#include "api/project_view.h"

#include "auth/org_units.h"

namespace claviger {
namespace {

SchedulingRules effective_rules(const std::optional<SchedulingRules>& own,
                                const std::optional<SchedulingRules>& department) {
    SchedulingRules rules = own.value_or(SchedulingRules{});
    for_each_member<SchedulingRules>([&](auto member) {
        auto& seconds = rules.*member.pointer;
        if (!seconds && department) {
            seconds = *department.*member.pointer;
        }
    });
    return rules;
}

ProjectEffective effective_of(const UnitAttributes& own, const UnitAttributes& department) {
    ProjectEffective effective;
    if (own.scheduling_rules || department.scheduling_rules) {
        effective.scheduling_rules =
            effective_rules(own.scheduling_rules, department.scheduling_rules);
    }
    effective.default_node_pools =
        own.default_node_pools ? own.default_node_pools : department.default_node_pools;
    effective.node_types = own.node_types ? own.node_types : department.node_types;
    return effective;
}

} // namespace

const OrgUnit* department_of(const AccessSnapshot& access, const OrgUnit& project) {
    const auto node = access.find(project.parent);
    return node ? access.org_unit(*node) : nullptr;
}

ProjectDetails project_details(const OrgUnit& project, const OrgUnit* department) {
    UnitAttributes attributes = attributes_of(project.attributes);
    const UnitAttributes above =
        department != nullptr ? attributes_of(department->attributes) : UnitAttributes{};
    ProjectDetails view;
    view.name = project.name;
    view.cluster_id = department != nullptr ? department->parent.value : "";
    view.description = project.description;
    view.enforce_runai_scheduler = attributes.enforce_runai_scheduler.value_or(true);
    view.created_at = project.created_at;
    view.updated_at = project.updated_at;
    view.created_by = project.created_by;
    view.updated_by = project.updated_by;
    view.status = {"Ready", project_namespace(project), {}};
    view.effective = effective_of(attributes, above);
    view.resources = shown_resources(attributes);
    view.total_resources = total_of(view.resources);
    view.requested_namespace = {std::move(attributes.requested_namespace)};
    view.scheduling_rules = attributes.scheduling_rules;
    view.default_node_pools = std::move(attributes.default_node_pools);
    view.node_types = std::move(attributes.node_types);
    return view;
}

UnitAttributes ProjectFields::attributes(std::optional<std::string> requested_namespace) const {
    UnitAttributes attributes;
    attributes.scheduling_rules = scheduling_rules;
    attributes.default_node_pools = default_node_pools;
    attributes.node_types = node_types;
    attributes.enforce_runai_scheduler = enforce_runai_scheduler;
    attributes.requested_namespace = std::move(requested_namespace);
    attributes.resources = resources;
    return attributes;
}

Result<NodeIndex> department_in(const Context& context, NodeIndex cluster,
                                const std::optional<std::string>& id, std::string_view field) {
    const AccessSnapshot& access = context.access();
    if (id) {
        const NodeIndex department = TRY(context.find_scope(ScopeType::department, *id, field));
        if (!access.is_same_or_below(department, cluster)) {
            return fail(ErrorCode::invalid_request,
                        std::string(field) + " is no department of this cluster");
        }
        return department;
    }
    std::optional<NodeIndex> found;
    access.for_each_unit(ScopeType::department, [&](NodeIndex node, const OrgUnit& unit) {
        if (unit.name == default_department && access.is_same_or_below(node, cluster)) {
            found = node;
        }
    });
    if (!found) {
        return fail(ErrorCode::invalid_request, std::string(field) +
                                                    " is missing, and the cluster has no default "
                                                    "department");
    }
    return *found;
}

Result<OrgUnit> make_project(Context& context, NodeIndex department, const std::string& name,
                             const std::optional<std::string>& requested_namespace,
                             const ProjectFields& fields) {
    // An empty one is the spelling of clients that always send the member.
    const bool requested = requested_namespace && !requested_namespace->empty();
    OrgUnitDraft draft;
    draft.type = ScopeType::project;
    draft.parent = context.access().scope_id(department);
    draft.name = name;
    draft.description = fields.description.value_or("");
    draft.attributes =
        TRY(attributes_text(fields.attributes(requested ? requested_namespace : std::nullopt)));
    return context.services.org_units.create(context.caller, draft);
}

Result<OrgUnit> change_project(Context& context, const ScopeId& id, const ProjectFields& fields) {
    OrgUnitChange change;
    change.description = fields.description;
    change.attributes = [&fields](const std::string& before) {
        return attributes_text(fields.attributes(attributes_of(before).requested_namespace));
    };
    return context.services.org_units.update(context.caller, id, change);
}

} // namespace claviger
