// SPDX-License-Identifier: Apache-2.0
// Departments and projects at the addresses of earlier days, below their cluster (contract 3.5):
// the same objects under the same permissions, as bare arrays and with integers as ids.
#include "api/department_view.h"
#include "api/project_view.h"
#include "api/resources.h"
#include "api/scope_text.h"

namespace claviger {
namespace {

/// Ids of departments and projects are decimal numbers.
std::int64_t integer_of(const ScopeId& id) {
    return parse_integer<std::int64_t>(id.value).value_or(0);
}

struct ClusterPath {
    Uuid cluster_uuid;

    ScopeId cluster_id(const Context& context) const {
        return {context.caller.tenant(), ScopeType::cluster, cluster_uuid.text()};
    }
    Result<NodeIndex> find_cluster(const Context& context) const {
        return context.find_scope(ScopeType::cluster, cluster_uuid.text(), "clusterUuid");
    }
    /// The unit with this id, if it stands in the cluster.
    Result<NodeIndex> find_below(const Context& context, ScopeType type, const std::string& id,
                                 std::string_view field) const {
        const NodeIndex cluster = TRY(find_cluster(context));
        const NodeIndex node = TRY(context.find_scope(type, id, field));
        if (!context.access().is_same_or_below(node, cluster)) {
            return fail(ErrorCode::not_found, "the cluster has no " + std::string(name_of(type)) +
                                                  " with this " + std::string(field));
        }
        return node;
    }
};
BOOST_DESCRIBE_STRUCT(ClusterPath, (), (cluster_uuid))

/// The units of one type in a cluster that the caller may read.
Result<std::vector<const OrgUnit*>> units_in(const Context& context, const ClusterPath& path,
                                             ScopeType type, std::string_view resource_type) {
    const NodeIndex cluster = TRY(path.find_cluster(context));
    std::vector<const OrgUnit*> units;
    for (const NodeIndex node : readable_units(context, type, resource_type)) {
        if (context.access().is_same_or_below(node, cluster)) {
            units.push_back(context.access().org_unit(node));
        }
    }
    return units;
}

// --- departments --------------------------------------------------------------------------------

struct LegacyDepartment : DepartmentDetails {
    std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(LegacyDepartment, (),
                      (id, name, cluster_id, description, created_at, updated_at, created_by,
                       updated_by, total_resources, scheduling_rules, default_node_pools,
                       node_types, overtime_data, resources))

LegacyDepartment department_view(const OrgUnit& unit) {
    return {department_details(unit), integer_of(unit.id)};
}

Result<std::vector<LegacyDepartment>> list_departments(Context& context, const ClusterPath& path) {
    std::vector<LegacyDepartment> views;
    const auto units = TRY(units_in(context, path, ScopeType::department, "department"));
    views.reserve(units.size());
    for (const OrgUnit* unit : units) {
        views.push_back(department_view(*unit));
    }
    return views;
}

struct LegacyDepartmentCreation : ClusterPath, DepartmentFields {
    std::string name;
    Result<NodeIndex> scope(const Context& context) const { return find_cluster(context); }
};
BOOST_DESCRIBE_STRUCT(LegacyDepartmentCreation, (),
                      (cluster_uuid, name, description, scheduling_rules, default_node_pools,
                       node_types, resources))

Result<LegacyDepartment> create_department(Context& context,
                                           const LegacyDepartmentCreation& request) {
    const OrgUnit unit = TRY(
        make_department(context, request.cluster_id(context), request.name, std::nullopt, request));
    return department_view(unit);
}

struct LegacyDepartmentPath : ClusterPath {
    std::string department_id;

    ScopeId id(const Context& context) const {
        return {context.caller.tenant(), ScopeType::department, department_id};
    }
    Result<NodeIndex> scope(const Context& context) const {
        return find_below(context, ScopeType::department, department_id, "departmentId");
    }
};
BOOST_DESCRIBE_STRUCT(LegacyDepartmentPath, (), (cluster_uuid, department_id))

Result<LegacyDepartment> read_department(Context& context, const LegacyDepartmentPath& path) {
    const NodeIndex node = TRY(path.scope(context));
    return department_view(*context.access().org_unit(node));
}

struct LegacyDepartmentUpdate : LegacyDepartmentPath, DepartmentFields {};
BOOST_DESCRIBE_STRUCT(LegacyDepartmentUpdate, (),
                      (cluster_uuid, department_id, description, scheduling_rules,
                       default_node_pools, node_types, resources))

Result<LegacyDepartment> update_department(Context& context,
                                           const LegacyDepartmentUpdate& request) {
    const OrgUnit unit = TRY(change_department(context, request.id(context), request));
    return department_view(unit);
}

Result<Empty> delete_department(Context& context, const LegacyDepartmentPath& path) {
    TRY(context.services.org_units.remove(context.caller, path.id(context), false));
    return Empty{};
}

// --- projects -----------------------------------------------------------------------------------

struct LegacyProject : ProjectDetails {
    std::int64_t id = 0, parent_id = 0, department_id = 0;
    std::string department_name;
};
BOOST_DESCRIBE_STRUCT(LegacyProject, (),
                      (id, name, cluster_id, parent_id, department_id, department_name, description,
                       requested_namespace, enforce_runai_scheduler, created_at, updated_at,
                       created_by, updated_by, status, total_resources, effective, scheduling_rules,
                       default_node_pools, node_types, resources))

LegacyProject project_view(const AccessSnapshot& access, const OrgUnit& unit) {
    const OrgUnit* department = department_of(access, unit);
    const std::int64_t department_id = integer_of(unit.parent);
    return {project_details(unit, department), integer_of(unit.id), department_id, department_id,
            department != nullptr ? department->name : ""};
}

Result<std::vector<LegacyProject>> list_projects(Context& context, const ClusterPath& path) {
    std::vector<LegacyProject> views;
    const auto units = TRY(units_in(context, path, ScopeType::project, "project"));
    views.reserve(units.size());
    for (const OrgUnit* unit : units) {
        views.push_back(project_view(context.access(), *unit));
    }
    return views;
}

struct LegacyProjectCreation : ClusterPath, ProjectFields {
    std::string name;
    std::optional<std::int64_t> department_id;
    std::optional<std::string> namespace_; // the plain word is C++'s

    Result<NodeIndex> scope(const Context& context) const {
        const NodeIndex cluster = TRY(find_cluster(context));
        const auto id =
            department_id ? std::optional(std::to_string(*department_id)) : std::nullopt;
        return department_in(context, cluster, id, "departmentId");
    }
};
BOOST_DESCRIBE_STRUCT(LegacyProjectCreation, (),
                      (cluster_uuid, name, department_id, namespace_, description, scheduling_rules,
                       default_node_pools, node_types, enforce_runai_scheduler, resources))

Result<LegacyProject> create_project(Context& context, const LegacyProjectCreation& request) {
    const NodeIndex department = TRY(request.scope(context));
    const OrgUnit unit =
        TRY(make_project(context, department, request.name, request.namespace_, request));
    return project_view(context.access(), unit);
}

struct LegacyProjectPath : ClusterPath {
    std::string project_id;

    ScopeId id(const Context& context) const {
        return {context.caller.tenant(), ScopeType::project, project_id};
    }
    Result<NodeIndex> scope(const Context& context) const {
        return find_below(context, ScopeType::project, project_id, "projectId");
    }
};
BOOST_DESCRIBE_STRUCT(LegacyProjectPath, (), (cluster_uuid, project_id))

Result<LegacyProject> read_project(Context& context, const LegacyProjectPath& path) {
    const NodeIndex node = TRY(path.scope(context));
    return project_view(context.access(), *context.access().org_unit(node));
}

struct LegacyProjectUpdate : LegacyProjectPath, ProjectFields {};
BOOST_DESCRIBE_STRUCT(LegacyProjectUpdate, (),
                      (cluster_uuid, project_id, description, scheduling_rules, default_node_pools,
                       node_types, enforce_runai_scheduler, resources))

Result<LegacyProject> update_project(Context& context, const LegacyProjectUpdate& request) {
    const OrgUnit unit = TRY(change_project(context, request.id(context), request));
    return project_view(context.access(), unit);
}

Result<Empty> delete_project(Context& context, const LegacyProjectPath& path) {
    TRY(context.services.org_units.remove(context.caller, path.id(context), false));
    return Empty{};
}

// --- routes -------------------------------------------------------------------------------------

struct Place {
    std::string_view path, tag, permission;
};
constexpr Place departments{"/v1/k8s/clusters/{clusterUuid}/departments", "departments",
                            "department"};
constexpr Place department{"/v1/k8s/clusters/{clusterUuid}/departments/{departmentId}",
                           "departments", "department"};
constexpr Place projects{"/v1/k8s/clusters/{clusterUuid}/projects", "projects", "project"};
constexpr Place project{"/v1/k8s/clusters/{clusterUuid}/projects/{projectId}", "projects",
                        "project"};

constexpr Operation legacy(HttpMethod method, const Place& place, std::string_view id,
                           std::string_view summary, Action action, EvaluatedAt at,
                           int success = 200) {
    return {.method = method,
            .path = place.path,
            .id = id,
            .tag = place.tag,
            .summary = summary,
            .access = Access::permission(place.permission, action, at),
            .success = success,
            .deprecated = true};
}

} // namespace

Routes legacy_unit_routes() {
    using enum HttpMethod;
    using enum EvaluatedAt;
    return {
        route<list_departments>(legacy(get, departments, "listLegacyDepartments",
                                       "List the departments of a cluster", Action::read,
                                       anywhere)),
        route<create_department>(legacy(post, departments, "createLegacyDepartment",
                                        "Create a department in a cluster", Action::create,
                                        EvaluatedAt::request, 201)),
        route<read_department>(legacy(get, department, "getLegacyDepartment", "Read one department",
                                      Action::read, EvaluatedAt::request)),
        route<update_department>(legacy(put, department, "updateLegacyDepartment",
                                        "Change a department", Action::update,
                                        EvaluatedAt::request)),
        route<delete_department>(legacy(remove, department, "deleteLegacyDepartment",
                                        "Delete a department that has no projects", Action::remove,
                                        EvaluatedAt::request, 204)),
        route<list_projects>(legacy(get, projects, "listLegacyProjects",
                                    "List the projects of a cluster", Action::read, anywhere)),
        route<create_project>(legacy(post, projects, "createLegacyProject",
                                     "Create a project in a cluster", Action::create,
                                     EvaluatedAt::request, 201)),
        route<read_project>(legacy(get, project, "getLegacyProject", "Read one project",
                                   Action::read, EvaluatedAt::request)),
        route<update_project>(legacy(put, project, "updateLegacyProject", "Change a project",
                                     Action::update, EvaluatedAt::request)),
        route<delete_project>(legacy(remove, project, "deleteLegacyProject",
                                     "Delete a project and the access rules at it", Action::remove,
                                     EvaluatedAt::request, 204)),
    };
}

} // namespace claviger
