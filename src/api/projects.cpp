// SPDX-License-Identifier: Apache-2.0
// Projects (contract 3.3).
#include "api/count.h"
#include "api/org_unit_view.h"
#include "api/resources.h"
#include "auth/org_units.h"

namespace claviger {
namespace {

struct ProjectParent {
    std::string id, name;
};
BOOST_DESCRIBE_STRUCT(ProjectParent, (), (id, name))

struct ProjectEffective {
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
};
BOOST_DESCRIBE_STRUCT(ProjectEffective, (), (scheduling_rules, default_node_pools, node_types))

struct ProjectView {
    std::string id, name, cluster_id, parent_id, description;
    Nullable<std::string> requested_namespace;
    bool enforce_runai_scheduler = true;
    Timestamp created_at, updated_at;
    std::string created_by, updated_by;
    ProjectParent parent;
    RawJson status; // a member is called "namespace", which is no C++ name
    TotalResources total_resources;
    ProjectEffective effective;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::vector<Resources> resources;
};
BOOST_DESCRIBE_STRUCT(ProjectView, (),
                      (id, name, cluster_id, parent_id, description, requested_namespace,
                       enforce_runai_scheduler, created_at, updated_at, created_by, updated_by,
                       parent, status, total_resources, effective, scheduling_rules,
                       default_node_pools, node_types, resources))

RawJson status_json(const std::string& namespace_name) {
    RawJson status{""};
    status.text.reserve(96);
    JsonWriter out(status.text);
    out.begin_object();
    out.name("phase");
    out.value(std::string_view("Ready"));
    out.name("namespace");
    out.value(std::string_view(namespace_name));
    out.end_object();
    return status;
}

ProjectView view_of(const AccessSnapshot& access, const OrgUnit& unit) {
    UnitAttributes attributes = attributes_of(unit);
    const auto parent = access.find(unit.parent);
    const OrgUnit* department = parent ? access.org_unit(*parent) : nullptr;
    ProjectView view;
    view.id = unit.id.value;
    view.name = unit.name;
    view.cluster_id = department != nullptr ? department->parent.value : "";
    view.parent_id = unit.parent.value;
    view.description = unit.description;
    view.requested_namespace = {attributes.requested_namespace};
    view.enforce_runai_scheduler = attributes.enforce_runai_scheduler.value_or(true);
    view.created_at = unit.created_at;
    view.updated_at = unit.updated_at;
    view.created_by = unit.created_by;
    view.updated_by = unit.updated_by;
    view.parent = {unit.parent.value, department != nullptr ? department->name : ""};
    view.status = status_json(attributes.requested_namespace.value_or("runai-" + unit.name));
    view.resources = shown_resources(attributes);
    view.total_resources = total_of(view.resources);
    view.effective = {attributes.scheduling_rules, attributes.default_node_pools,
                      attributes.node_types};
    view.scheduling_rules = attributes.scheduling_rules;
    view.default_node_pools = std::move(attributes.default_node_pools);
    view.node_types = std::move(attributes.node_types);
    return view;
}

struct ListedProject {
    const OrgUnit* project = nullptr;
    const OrgUnit* department = nullptr;
};

const std::vector<ListField<ListedProject>>& fields() {
    using Listed = ListedProject;
    using Number = std::optional<std::int64_t>;
    static const std::vector<ListField<Listed>> list{
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
        {"totalGpuQuota", FieldKind::number, nullptr,
         [](const Listed& r) -> Number { return total_gpu_quota(*r.project); }},
        {"createdAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number { return r.project->created_at.microseconds; }}};
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

/// What may be set when a project is made, and changed later.
struct ProjectFields {
    std::optional<std::string> description;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<bool> enforce_runai_scheduler;
    std::optional<std::vector<Resources>> resources;

    UnitAttributes attributes(std::optional<std::string> requested_namespace) const {
        return {scheduling_rules,
                default_node_pools,
                node_types,
                enforce_runai_scheduler,
                std::move(requested_namespace),
                resources};
    }
};

struct ProjectCreationRequest : ProjectFields {
    std::string name;
    Uuid cluster_id;
    std::optional<std::string> parent_id, requested_namespace;

    /// The department: the one that is named, or the cluster's default one.
    Result<NodeIndex> scope(const Context& context) const {
        const NodeIndex cluster =
            TRY(context.find_scope(ScopeType::cluster, cluster_id.text(), "clusterId"));
        if (parent_id) {
            const NodeIndex department =
                TRY(context.find_scope(ScopeType::department, *parent_id, "parentId"));
            if (!context.access().is_same_or_below(department, cluster)) {
                return fail(ErrorCode::invalid_request,
                            "parentId is no department of this cluster");
            }
            return department;
        }
        std::optional<NodeIndex> found;
        context.access().for_each_unit(ScopeType::department,
                                       [&](NodeIndex node, const OrgUnit& unit) {
                                           if (unit.name == default_department &&
                                               context.access().is_same_or_below(node, cluster)) {
                                               found = node;
                                           }
                                       });
        if (!found) {
            return fail(ErrorCode::invalid_request,
                        "parentId is missing, and the cluster has no default department");
        }
        return *found;
    }
};
BOOST_DESCRIBE_STRUCT(ProjectCreationRequest, (),
                      (name, cluster_id, parent_id, requested_namespace, description,
                       scheduling_rules, default_node_pools, node_types, enforce_runai_scheduler,
                       resources))

Result<ProjectView> create_project(Context& context, const ProjectCreationRequest& request) {
    const UnitAttributes attributes = request.attributes(request.requested_namespace);
    TRY(check_attributes(attributes));
    const NodeIndex department = TRY(request.scope(context));
    OrgUnitDraft draft;
    draft.type = ScopeType::project;
    draft.parent = context.access().scope_id(department);
    draft.name = request.name;
    draft.description = request.description.value_or("");
    draft.attributes = attributes_text(attributes);
    const OrgUnit unit = TRY(context.services.org_units.create(context.caller, draft));
    return view_of(context.latest_state()->access, unit);
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
    const NodeIndex node = TRY(request.scope(context));
    const UnitAttributes before = attributes_of(*context.access().org_unit(node));
    const UnitAttributes attributes = request.attributes(before.requested_namespace);
    TRY(check_attributes(attributes));
    const OrgUnit unit = TRY(context.services.org_units.update(
        context.caller, request.id(context),
        {std::nullopt, request.description, attributes_text(attributes)}));
    return view_of(context.latest_state()->access, unit);
}

Result<Empty> delete_project(Context& context, const ProjectRequest& request) {
    TRY(context.services.org_units.remove(context.caller, request.id(context), false));
    return Empty{};
}

constexpr Access may(Action action, EvaluatedAt at) {
    return Access::permission("project", action, at);
}

} // namespace

Routes project_routes() {
    constexpr std::string_view collection = "/api/v1/org-unit/projects";
    constexpr std::string_view item = "/api/v1/org-unit/projects/{projectId}";
    constexpr std::string_view tag = "projects";
    return {
        route<list_projects>({.method = HttpMethod::get,
                              .path = collection,
                              .id = "listProjects",
                              .tag = tag,
                              .summary = "List the projects within reach",
                              .access = may(Action::read, EvaluatedAt::anywhere)}),
        route<create_project>({.method = HttpMethod::post,
                               .path = collection,
                               .id = "createProject",
                               .tag = tag,
                               .summary = "Create a project in a department",
                               .access = may(Action::create, EvaluatedAt::request),
                               .success = 201}),
        route<count_projects>({.method = HttpMethod::get,
                               .path = "/api/v1/org-unit/projects/count",
                               .id = "countProjects",
                               .tag = tag,
                               .summary = "Count the projects within reach",
                               .access = may(Action::read, EvaluatedAt::anywhere)}),
        route<read_project>({.method = HttpMethod::get,
                             .path = item,
                             .id = "getProject",
                             .tag = tag,
                             .summary = "Read one project",
                             .access = may(Action::read, EvaluatedAt::request),
                             .runs_on = RunsOn::inline_thread,
                             .request_class = RequestClass::decision}),
        route<update_project>({.method = HttpMethod::put,
                               .path = item,
                               .id = "updateProject",
                               .tag = tag,
                               .summary = "Change a project; name and department stay",
                               .access = may(Action::update, EvaluatedAt::request)}),
        route<delete_project>({.method = HttpMethod::remove,
                               .path = item,
                               .id = "deleteProject",
                               .tag = tag,
                               .summary = "Delete a project and the access rules at it",
                               .access = may(Action::remove, EvaluatedAt::request),
                               .success = 204}),
    };
}

} // namespace claviger
