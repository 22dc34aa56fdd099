// SPDX-License-Identifier: Apache-2.0
// Projects (contract 3.3).
#include "api/count.h"
#include "api/project_view.h"
#include "api/resources.h"
#include "auth/org_units.h"

namespace claviger {
namespace {

struct ProjectParent {
    std::string id, name;
};
BOOST_DESCRIBE_STRUCT(ProjectParent, (), (id, name))

struct ProjectView : ProjectDetails {
    std::string id, parent_id;
    ProjectParent parent;
};
BOOST_DESCRIBE_STRUCT(ProjectView, (),
                      (id, name, cluster_id, parent_id, description, requested_namespace,
                       enforce_runai_scheduler, created_at, updated_at, created_by, updated_by,
                       parent, status, total_resources, effective, scheduling_rules,
                       default_node_pools, node_types, resources))

ProjectView view_of(const AccessSnapshot& access, const OrgUnit& project) {
    const OrgUnit* department = department_of(access, project);
    return {project_details(project, department),
            project.id.value,
            project.parent.value,
            {project.parent.value, department != nullptr ? department->name : ""}};
}

struct ListedProject {
    const OrgUnit* project = nullptr;
    const OrgUnit* department = nullptr;
};

std::vector<ListField<ListedProject>> make_fields() {
    using Listed = ListedProject;
    using Number = std::optional<std::int64_t>;
    std::vector<ListField<Listed>> list{
        {"name", FieldKind::text, [](const Listed& r) { return r.project->name; }, nullptr},
        {"clusterId", FieldKind::text, [](const Listed& r) { return r.department->parent.value; },
         nullptr},
        {"departmentId", FieldKind::text, [](const Listed& r) { return r.department->id.value; },
         nullptr},
        {"parentId", FieldKind::text, [](const Listed& r) { return r.department->id.value; },
         nullptr},
        {"parentName", FieldKind::text, [](const Listed& r) { return r.department->name; },
         nullptr},
        {"phase", FieldKind::text, [](const Listed&) { return std::string("Ready"); }, nullptr},
        {"totalGpuQuota", FieldKind::decimal, nullptr,
         [](const Listed& r) -> Number { return total_gpu_quota(*r.project); }},
        {"createdAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number { return r.project->created_at.microseconds; }}};
    add_measured_fields(list);
    return list;
}

const std::vector<ListField<ListedProject>>& fields() {
    static const std::vector<ListField<ListedProject>> list = make_fields();
    return list;
}

bool is_found(const ListedProject& row, std::string_view search) {
    return contains_ignoring_case(row.project->name, search) ||
           contains_ignoring_case(row.department->name, search);
}

struct ProjectsRequest : ListRequest {};
BOOST_DESCRIBE_STRUCT(ProjectsRequest, (), (filter_by, sort_by, sort_order, offset, limit, search))

struct ProjectsResponse {
    std::vector<ProjectView> projects;
    std::optional<std::int64_t> next;
};
BOOST_DESCRIBE_STRUCT(ProjectsResponse, (), (projects, next))

Result<PageWalk<ListedProject>> walk_projects(const Context& context, const ListRequest& request,
                                              const Page& page) {
    auto walk = TRY(PageWalk<ListedProject>::begin(request, page, fields(), is_found));
    const AccessSnapshot& access = context.access();
    static const OrgUnit none{};
    std::int64_t position = 0;
    for (const NodeIndex node : readable_units(context, ScopeType::project, "project")) {
        const OrgUnit* department = access.org_unit(*access.parent(node));
        walk.offer(position++, {access.org_unit(node), department != nullptr ? department : &none});
    }
    return walk;
}

Result<ProjectsResponse> list_projects(Context& context, const ProjectsRequest& request) {
    const Page page = TRY(page_of(request));
    auto walk = TRY(walk_projects(context, request, page));
    ProjectsResponse answer;
    answer.next = next_offset(page, walk.total());
    for (const ListedProject& row : walk.rows()) {
        answer.projects.push_back(view_of(context.access(), *row.project));
    }
    return answer;
}

struct ProjectCountRequest {
    std::optional<FilterText> filter_by;
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(ProjectCountRequest, (), (filter_by, search))

Result<CountResponse> count_projects(Context& context, const ProjectCountRequest& request) {
    ListRequest list;
    list.filter_by = request.filter_by;
    list.search = request.search;
    const auto walk = TRY(walk_projects(context, list, no_page));
    return CountResponse{static_cast<std::int64_t>(walk.total())};
}

struct ProjectCreationRequest : ProjectFields {
    std::string name;
    Uuid cluster_id;
    std::optional<std::string> parent_id, requested_namespace;

    Result<NodeIndex> scope(const Context& context) const {
        const NodeIndex cluster =
            TRY(context.find_scope(ScopeType::cluster, cluster_id.text(), "clusterId"));
        return department_in(context, cluster, parent_id, "parentId");
    }
};
BOOST_DESCRIBE_STRUCT(ProjectCreationRequest, (),
                      (name, cluster_id, parent_id, requested_namespace, description,
                       scheduling_rules, default_node_pools, node_types, enforce_runai_scheduler,
                       resources))

Result<ProjectView> create_project(Context& context, const ProjectCreationRequest& request) {
    const NodeIndex department = TRY(request.scope(context));
    const OrgUnit unit =
        TRY(make_project(context, department, request.name, request.requested_namespace, request));
    return view_of(context.access(), unit);
}

struct ProjectRequest {
    std::string project_id;

    ScopeId id(const Context& context) const {
        return {context.caller.tenant(), ScopeType::project, project_id};
    }
    Result<NodeIndex> scope(const Context& context) const {
        return context.find_scope(ScopeType::project, project_id, "projectId");
    }
};
BOOST_DESCRIBE_STRUCT(ProjectRequest, (), (project_id))

Result<ProjectView> read_project(Context& context, const ProjectRequest& request) {
    const NodeIndex node = TRY(request.scope(context));
    return view_of(context.access(), *context.access().org_unit(node));
}

struct ProjectUpdateRequest : ProjectRequest, ProjectFields {};
BOOST_DESCRIBE_STRUCT(ProjectUpdateRequest, (),
                      (project_id, description, scheduling_rules, default_node_pools, node_types,
                       enforce_runai_scheduler, resources))

Result<ProjectView> update_project(Context& context, const ProjectUpdateRequest& request) {
    const OrgUnit unit = TRY(change_project(context, request.id(context), request));
    return view_of(context.access(), unit);
}

struct ProjectResourcesRequest : ProjectRequest {
    WholeBody<std::vector<Resources>> resources;
};
BOOST_DESCRIBE_STRUCT(ProjectResourcesRequest, (), (project_id, resources))

Result<std::vector<Resources>> put_resources(Context& context,
                                             const ProjectResourcesRequest& request) {
    return replace_resources(context, request.id(context), request.resources.value);
}

Result<std::vector<Resources>> patch_resources(Context& context,
                                               const ProjectResourcesRequest& request) {
    return merge_resources(context, request.id(context), request.resources.value);
}

Result<Empty> delete_project(Context& context, const ProjectRequest& request) {
    TRY(context.services.org_units.remove(context.caller, request.id(context), false));
    return Empty{};
}

constexpr std::string_view collection = "/api/v1/org-unit/projects";
constexpr std::string_view item = "/api/v1/org-unit/projects/{projectId}";
constexpr std::string_view resources = "/api/v1/org-unit/projects/{projectId}/resources";

constexpr Operation project_operation(HttpMethod method, std::string_view path, Action action,
                                      EvaluatedAt at, std::string_view id,
                                      std::string_view summary) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = "projects",
            .summary = summary,
            .access = Access::permission("project", action, at)};
}

} // namespace

Routes project_routes() {
    using enum HttpMethod;
    using enum EvaluatedAt;
    Operation create = project_operation(post, collection, Action::create, request, "createProject",
                                         "Create a project in a department");
    create.success = 201;
    Operation read =
        project_operation(get, item, Action::read, request, "getProject", "Read one project");
    read.runs_on = RunsOn::inline_thread;
    read.request_class = RequestClass::decision;
    Operation erase = project_operation(remove, item, Action::remove, request, "deleteProject",
                                        "Delete a project and the access rules at it");
    erase.success = 204;
    return {
        route<list_projects>(project_operation(get, collection, Action::read, anywhere,
                                               "listProjects", "List the projects within reach")),
        route<create_project>(create),
        route<count_projects>(project_operation(get, "/api/v1/org-unit/projects/count",
                                                Action::read, anywhere, "countProjects",
                                                "Count the projects within reach")),
        route<read_project>(read),
        route<update_project>(project_operation(put, item, Action::update, request, "updateProject",
                                                "Change a project; name and department stay")),
        route<delete_project>(erase),
        route<put_resources>(project_operation(put, resources, Action::update, request,
                                               "updateProjectResources",
                                               "Replace the quotas of a project")),
        route<patch_resources>(
            project_operation(patch, resources, Action::update, request, "patchProjectResources",
                              "Change the quotas of a project in some node pools")),
    };
}

} // namespace claviger
