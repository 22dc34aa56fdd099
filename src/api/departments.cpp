// SPDX-License-Identifier: Apache-2.0
// Departments (contract 3.2).
#include <algorithm>
#include <array>

#include "api/count.h"
#include "api/department_projects.h"
#include "api/department_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct DepartmentStatus {
    QuotaStatus quota_status;
};
BOOST_DESCRIBE_STRUCT(DepartmentStatus, (), (quota_status))

struct DepartmentView : DepartmentDetails {
    std::string id;
    std::optional<DepartmentStatus> status;
    std::optional<std::vector<DepartmentChild>> children;
    std::optional<std::vector<AggregatedResources>> projects_aggregated_resources;
};
BOOST_DESCRIBE_STRUCT(DepartmentView, (),
                      (id, name, cluster_id, description, created_at, updated_at, created_by,
                       updated_by, total_resources, scheduling_rules, default_node_pools,
                       node_types, overtime_data, resources, status, children,
                       projects_aggregated_resources))

DepartmentView view_of(const OrgUnit& unit) {
    DepartmentView view{department_details(unit), unit.id.value, {}, {}, {}};
    view.status.emplace();
    return view;
}

/// With what its projects add.
DepartmentView whole_view_of(const Context& context, const OrgUnit& unit) {
    DepartmentView view = view_of(unit);
    DepartmentProjects projects = projects_of(context, unit);
    view.children = std::move(projects.children);
    view.projects_aggregated_resources = std::move(projects.resources);
    return view;
}

using ListedDepartment = const OrgUnit*;

std::vector<ListField<ListedDepartment>> make_fields() {
    using Listed = ListedDepartment;
    using Number = std::optional<std::int64_t>;
    std::vector<ListField<Listed>> list{
        {"name", FieldKind::text, [](const Listed& r) { return r->name; }, nullptr},
        {"clusterId", FieldKind::text, [](const Listed& r) { return r->parent.value; }, nullptr},
        {"totalGpuQuota", FieldKind::decimal, nullptr,
         [](const Listed& r) -> Number { return total_gpu_quota(*r); }},
        {"createdAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number { return r->created_at.microseconds; }}};
    add_measured_fields(list);
    return list;
}

const std::vector<ListField<ListedDepartment>>& fields() {
    static const std::vector<ListField<ListedDepartment>> list = make_fields();
    return list;
}

bool is_found(const ListedDepartment& row, std::string_view search) {
    return contains_ignoring_case(row->name, search);
}

/// How much of each department a list shows: `meta` leaves out the status, and only `verbose` has
/// the children.
struct Verbosity {
    enum class Level : std::uint8_t { meta, brief, verbose };
    Level level = Level::brief;

    static Result<Verbosity> decode(std::string_view text) {
        constexpr std::array<std::string_view, 3> names{"meta", "brief", "verbose"};
        const auto at = std::ranges::find(names, text == "full" ? "verbose" : text);
        if (at == names.end()) {
            return fail(ErrorCode::invalid_request, "must be meta, brief or verbose");
        }
        return Verbosity{static_cast<Level>(at - names.begin())};
    }
    std::string wire() const { return "verbose"; }
    static json::object schema() {
        return {{"type", "string"}, {"enum", json::array{"meta", "brief", "verbose"}}};
    }
};

struct DepartmentsRequest : ListRequest {
    std::optional<Verbosity> verbosity;
};
BOOST_DESCRIBE_STRUCT(DepartmentsRequest, (),
                      (filter_by, search, sort_by, verbosity, sort_order, offset, limit))

struct DepartmentsResponse {
    std::vector<DepartmentView> departments;
    std::optional<std::int64_t> next;
};
BOOST_DESCRIBE_STRUCT(DepartmentsResponse, (), (departments, next))

Result<PageWalk<ListedDepartment>> walk_departments(const Context& context,
                                                    const ListRequest& request, const Page& page) {
    auto walk = TRY(PageWalk<ListedDepartment>::begin(request, page, fields(), is_found));
    std::int64_t position = 0;
    for (const NodeIndex node : readable_units(context, ScopeType::department, "department")) {
        walk.offer(position++, context.access().org_unit(node));
    }
    return walk;
}

Result<DepartmentsResponse> list_departments(Context& context, const DepartmentsRequest& request) {
    const Page page = TRY(page_of(request));
    auto walk = TRY(walk_departments(context, request, page));
    DepartmentsResponse answer;
    answer.next = next_offset(page, walk.total());
    using Level = Verbosity::Level;
    const Level level = request.verbosity.value_or(Verbosity{}).level;
    auto children = level == Level::verbose ? children_by_department(context) : Children{};
    for (const ListedDepartment& row : walk.rows()) {
        DepartmentView& view = answer.departments.emplace_back(view_of(*row));
        if (level == Level::meta) {
            view.status.reset();
        } else if (level == Level::verbose) {
            view.children = std::move(children[row->id.value]);
        }
    }
    return answer;
}

struct DepartmentCountRequest {
    std::optional<FilterText> filter_by;
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(DepartmentCountRequest, (), (filter_by, search))

Result<CountResponse> count_departments(Context& context, const DepartmentCountRequest& request) {
    ListRequest list;
    list.filter_by = request.filter_by;
    list.search = request.search;
    const auto walk = TRY(walk_departments(context, list, no_page));
    return CountResponse{static_cast<std::int64_t>(walk.total())};
}

struct DepartmentCreationRequest : DepartmentFields {
    std::string name;
    Uuid cluster_id;
    std::optional<OvertimeAverages> overtime_data;

    Result<NodeIndex> scope(const Context& context) const {
        return context.find_scope(ScopeType::cluster, cluster_id.text(), "clusterId");
    }
};
BOOST_DESCRIBE_STRUCT(DepartmentCreationRequest, (),
                      (name, cluster_id, description, scheduling_rules, default_node_pools,
                       node_types, overtime_data, resources))

Result<DepartmentView> create_department(Context& context,
                                         const DepartmentCreationRequest& request) {
    const ScopeId cluster{context.caller.tenant(), ScopeType::cluster, request.cluster_id.text()};
    const OrgUnit unit =
        TRY(make_department(context, cluster, request.name, request.overtime_data, request));
    return whole_view_of(context, unit);
}

struct DepartmentRequest {
    std::string department_id;

    ScopeId id(const Context& context) const {
        return {context.caller.tenant(), ScopeType::department, department_id};
    }
    Result<NodeIndex> scope(const Context& context) const {
        return context.find_scope(ScopeType::department, department_id, "departmentId");
    }
};
BOOST_DESCRIBE_STRUCT(DepartmentRequest, (), (department_id))

Result<DepartmentView> read_department(Context& context, const DepartmentRequest& request) {
    const NodeIndex node = TRY(request.scope(context));
    return whole_view_of(context, *context.access().org_unit(node));
}

struct DepartmentUpdateRequest : DepartmentRequest, DepartmentFields {};
BOOST_DESCRIBE_STRUCT(DepartmentUpdateRequest, (),
                      (department_id, description, scheduling_rules, default_node_pools, node_types,
                       resources))

Result<DepartmentView> update_department(Context& context, const DepartmentUpdateRequest& request) {
    const OrgUnit unit = TRY(change_department(context, request.id(context), request));
    return whole_view_of(context, unit);
}

struct DepartmentResourcesRequest : DepartmentRequest {
    WholeBody<std::vector<Resources>> resources;
};
BOOST_DESCRIBE_STRUCT(DepartmentResourcesRequest, (), (department_id, resources))

Result<std::vector<Resources>> put_resources(Context& context,
                                             const DepartmentResourcesRequest& request) {
    return replace_resources(context, request.id(context), request.resources.value);
}

Result<std::vector<Resources>> patch_resources(Context& context,
                                               const DepartmentResourcesRequest& request) {
    return merge_resources(context, request.id(context), request.resources.value);
}

Result<Empty> delete_department(Context& context, const DepartmentRequest& request) {
    TRY(context.services.org_units.remove(context.caller, request.id(context), false));
    return Empty{};
}

constexpr std::string_view collection = "/api/v1/org-unit/departments";
constexpr std::string_view item = "/api/v1/org-unit/departments/{departmentId}";
constexpr std::string_view resources = "/api/v1/org-unit/departments/{departmentId}/resources";

constexpr Operation department_operation(HttpMethod method, std::string_view path, Action action,
                                         EvaluatedAt at, std::string_view id,
                                         std::string_view summary) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = "departments",
            .summary = summary,
            .access = Access::permission("department", action, at)};
}

} // namespace

Routes department_routes() {
    using enum HttpMethod;
    using enum EvaluatedAt;
    Operation create = department_operation(post, collection, Action::create, request,
                                            "createDepartment", "Create a department in a cluster");
    create.success = 201;
    Operation read = department_operation(get, item, Action::read, request, "getDepartment",
                                          "Read one department");
    Operation erase =
        department_operation(remove, item, Action::remove, request, "deleteDepartment",
                             "Delete a department that has no projects");
    erase.success = 204;
    return {
        route<list_departments>(department_operation(get, collection, Action::read, anywhere,
                                                     "listDepartments",
                                                     "List the departments within reach")),
        route<create_department>(create),
        route<count_departments>(department_operation(get, "/api/v1/org-unit/departments/count",
                                                      Action::read, anywhere, "countDepartments",
                                                      "Count the departments within reach")),
        route<read_department>(read),
        route<update_department>(
            department_operation(put, item, Action::update, request, "updateDepartment",
                                 "Change a department; name and cluster stay")),
        route<delete_department>(erase),
        route<put_resources>(department_operation(put, resources, Action::update, request,
                                                  "updateDepartmentResources",
                                                  "Replace the quotas of a department")),
        route<patch_resources>(department_operation(
            patch, resources, Action::update, request, "patchDepartmentResources",
            "Change the quotas of a department in some node pools")),
    };
}

} // namespace claviger
