// SPDX-License-Identifier: Apache-2.0
#include "api/department_projects.h"

#include <algorithm>

#include "api/org_unit_view.h"

namespace claviger {
namespace {

void add_deserved(std::optional<double>& sum, const auto& quota, double unit = 1) {
    if (quota && quota->deserved) {
        sum = sum.value_or(0) + *quota->deserved * unit;
    }
}

void add_resources(std::vector<AggregatedResources>& sums, const Resources& entry) {
    if (!entry.node_pool) {
        return; // a sum is said of a node pool
    }
    const std::string& id = entry.node_pool->id;
    auto at = std::ranges::find_if(
        sums, [&](const AggregatedResources& sum) { return sum.node_pool.id == id; });
    if (at == sums.end()) {
        at = sums.insert(at, {{id, entry.node_pool->name.value_or(id)},
                              DeservedResource{},
                              DeservedResource{},
                              DeservedMemory{}});
    }
    add_deserved(at->gpu->deserved, entry.gpu);
    add_deserved(at->cpu->deserved, entry.cpu);
    if (entry.memory) {
        add_deserved(at->memory->deserved, entry.memory, entry.memory->units.megabytes());
    }
}

} // namespace

DepartmentProjects projects_of(const Context& context, const OrgUnit& department) {
    const Reach reach(context, "project");
    DepartmentProjects projects;
    context.access().for_each_unit(ScopeType::project, [&](NodeIndex node, const OrgUnit& project) {
        if (project.parent != department.id) {
            return;
        }
        if (reach.covers(node)) {
            projects.children.push_back({project.id.value, project.name});
        }
        const UnitAttributes attributes = attributes_of(project.attributes);
        for (const Resources& entry : shown_resources(attributes)) {
            add_resources(projects.resources, entry);
        }
    });
    return projects;
}

Children children_by_department(const Context& context) {
    const Reach reach(context, "project");
    Children children;
    context.access().for_each_unit(ScopeType::project, [&](NodeIndex node, const OrgUnit& project) {
        if (reach.covers(node)) {
            children[project.parent.value].push_back({project.id.value, project.name});
        }
    });
    return children;
}

} // namespace claviger
