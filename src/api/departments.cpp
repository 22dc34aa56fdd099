// SPDX-License-Identifier: Apache-2.0
// Departments (contract 3.2).
#include "api/count.h"
#include "api/org_unit_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct DepartmentView {
    std::string id, name, cluster_id, description;
    Timestamp created_at, updated_at;
    std::string created_by, updated_by;
    TotalResources total_resources;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::vector<Resources> resources;
};
BOOST_DESCRIBE_STRUCT(DepartmentView, (),
                      (id, name, cluster_id, description, created_at, updated_at, created_by,
                       updated_by, total_resources, scheduling_rules, default_node_pools,
                       node_types, resources))

DepartmentView view_of(const OrgUnit& unit) {
    UnitAttributes attributes = attributes_of(unit);
    DepartmentView view;
    view.id = unit.id.value;
    view.name = unit.name;
    view.cluster_id = unit.parent.value;
    view.description = unit.description;
    view.created_at = unit.created_at;
    view.updated_at = unit.updated_at;
    view.created_by = unit.created_by;
    view.updated_by = unit.updated_by;
    view.resources = shown_resources(attributes);
    view.total_resources = total_of(view.resources);
    view.scheduling_rules = attributes.scheduling_rules;
    view.default_node_pools = std::move(attributes.default_node_pools);
    view.node_types = std::move(attributes.node_types);
    return view;
}

using ListedDepartment = const OrgUnit*;

const std::vector<ListField<ListedDepartment>>& fields() {
    using Listed = ListedDepartment;
    using Number = std::optional<std::int64_t>;
    static const std::vector<ListField<Listed>> list{
        {"name", FieldKind::text, [](const Listed& r) { return r->name; }, nullptr},
        {"clusterId", FieldKind::text, [](const Listed& r) { return r->parent.value; }, nullptr},
        {"totalGpuQuota", FieldKind::number, nullptr,
         [](const Listed& r) -> Number { return total_gpu_quota(*r); }},
        {"createdAt", FieldKind::time, nullptr,
         [](const Listed& r) -> Number { return r->created_at.microseconds; }}};
    return list;
}

bool is_found(const ListedDepartment& row, std::string_view search) {
    return contains_ignoring_case(row->name, search);
}

/// How much of each department the answer shows: all, whatever is asked.
struct Verbosity {
    static Result<Verbosity> decode(std::string_view text) {
        if (text != "meta" && text != "brief" && text != "verbose" && text != "full") {
            return fail(ErrorCode::invalid_request, "must be meta, brief or verbose");
        }
        return Verbosity{};
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
    for (const ListedDepartment& row : walk.rows()) {
        answer.departments.push_back(view_of(*row));
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

/// What may be set when a department is made, and changed later.
struct DepartmentFields {
    std::optional<std::string> description;
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<std::vector<Resources>> resources;

    UnitAttributes attributes() const {
        return {scheduling_rules, default_node_pools, node_types,
                std::nullopt,     std::nullopt,       resources};
    }
};

struct DepartmentCreationRequest : DepartmentFields {
    std::string name;
    Uuid cluster_id;

    Result<NodeIndex> scope(const Context& context) const {
        return context.find_scope(ScopeType::cluster, cluster_id.text(), "clusterId");
    }
};
BOOST_DESCRIBE_STRUCT(DepartmentCreationRequest, (),
                      (name, cluster_id, description, scheduling_rules, default_node_pools,
                       node_types, resources))

Result<DepartmentView> create_department(Context& context,
                                         const DepartmentCreationRequest& request) {
    const UnitAttributes attributes = request.attributes();
    TRY(check_attributes(attributes));
    OrgUnitDraft draft;
    draft.type = ScopeType::department;
    draft.parent = {context.caller.tenant(), ScopeType::cluster, request.cluster_id.text()};
    draft.name = request.name;
    draft.description = request.description.value_or("");
    draft.attributes = attributes_text(attributes);
    const OrgUnit unit = TRY(context.services.org_units.create(context.caller, draft));
    return view_of(unit);
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
    return view_of(*context.access().org_unit(node));
}

struct DepartmentUpdateRequest : DepartmentRequest, DepartmentFields {};
BOOST_DESCRIBE_STRUCT(DepartmentUpdateRequest, (),
                      (department_id, description, scheduling_rules, default_node_pools, node_types,
                       resources))

Result<DepartmentView> update_department(Context& context, const DepartmentUpdateRequest& request) {
    const UnitAttributes attributes = request.attributes();
    TRY(check_attributes(attributes));
    const OrgUnit unit = TRY(context.services.org_units.update(
        context.caller, request.id(context),
        {std::nullopt, request.description, attributes_text(attributes)}));
    return view_of(unit);
}

Result<Empty> delete_department(Context& context, const DepartmentRequest& request) {
    TRY(context.services.org_units.remove(context.caller, request.id(context), false));
    return Empty{};
}

constexpr Access may(Action action, EvaluatedAt at) {
    return Access::permission("department", action, at);
}

} // namespace

Routes department_routes() {
    constexpr std::string_view collection = "/api/v1/org-unit/departments";
    constexpr std::string_view item = "/api/v1/org-unit/departments/{departmentId}";
    constexpr std::string_view tag = "departments";
    return {
        route<list_departments>({.method = HttpMethod::get,
                                 .path = collection,
                                 .id = "listDepartments",
                                 .tag = tag,
                                 .summary = "List the departments within reach",
                                 .access = may(Action::read, EvaluatedAt::anywhere)}),
        route<create_department>({.method = HttpMethod::post,
                                  .path = collection,
                                  .id = "createDepartment",
                                  .tag = tag,
                                  .summary = "Create a department in a cluster",
                                  .access = may(Action::create, EvaluatedAt::request),
                                  .success = 201}),
        route<count_departments>({.method = HttpMethod::get,
                                  .path = "/api/v1/org-unit/departments/count",
                                  .id = "countDepartments",
                                  .tag = tag,
                                  .summary = "Count the departments within reach",
                                  .access = may(Action::read, EvaluatedAt::anywhere)}),
        route<read_department>({.method = HttpMethod::get,
                                .path = item,
                                .id = "getDepartment",
                                .tag = tag,
                                .summary = "Read one department",
                                .access = may(Action::read, EvaluatedAt::request),
                                .runs_on = RunsOn::inline_thread}),
        route<update_department>({.method = HttpMethod::put,
                                  .path = item,
                                  .id = "updateDepartment",
                                  .tag = tag,
                                  .summary = "Change a department; name and cluster stay",
                                  .access = may(Action::update, EvaluatedAt::request)}),
        route<delete_department>({.method = HttpMethod::remove,
                                  .path = item,
                                  .id = "deleteDepartment",
                                  .tag = tag,
                                  .summary = "Delete a department that has no projects",
                                  .access = may(Action::remove, EvaluatedAt::request),
                                  .success = 204}),
    };
}

} // namespace claviger
