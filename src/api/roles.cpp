// SPDX-License-Identifier: Apache-2.0
// Roles, version 1 (contract 2.7): the predefined ones, read only.
#include <map>

#include "access/role.h"
#include "api/permission_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct RoleView {
    std::int32_t id = 0;
    std::string name, description;
    std::vector<PermissionView> permissions;
    Timestamp created_at, updated_at;
    std::string created_by;
    bool custom = false;
    bool enabled = true;
    bool effective_enabled = true;
};
BOOST_DESCRIBE_STRUCT(RoleView, (),
                      (id, name, description, permissions, created_at, updated_at, created_by,
                       custom, enabled, effective_enabled))

RoleView view_of(const Context& context, const PredefinedRole& role) {
    RoleView view;
    view.id = role.number;
    view.name = role.name;
    view.description = role.description;
    view.permissions = permission_views(role.permissions);
    view.created_at = context.state().tenant.created_at; // predefined roles come with the tenant
    view.updated_at = view.created_at;
    view.created_by = "Claviger";
    return view;
}

Result<std::vector<RoleView>> list_roles(Context& context, const NoFields&) {
    std::vector<RoleView> views;
    for (const PredefinedRole& role : predefined_roles()) {
        views.push_back(view_of(context, role));
    }
    return views;
}

struct RoleRequest {
    std::int32_t role_id_path = 0;
};
BOOST_DESCRIBE_STRUCT(RoleRequest, (), (role_id_path))

Result<RoleView> read_role(Context& context, const RoleRequest& request) {
    const PredefinedRole* role = find_role(request.role_id_path);
    if (role == nullptr) {
        return fail(ErrorCode::not_found, "no role has this roleIdPath");
    }
    return view_of(context, *role);
}

} // namespace

Routes role_routes() {
    constexpr Access may_read = Access::permission("roles", Action::read, EvaluatedAt::anywhere);
    return {
        route<list_roles>({.method = HttpMethod::get,
                           .path = "/api/v1/authorization/roles",
                           .id = "listRoles",
                           .tag = "roles",
                           .summary = "List all roles",
                           .access = may_read,
                           .runs_on = RunsOn::inline_thread}),
        route<read_role>({.method = HttpMethod::get,
                          .path = "/api/v1/authorization/roles/{roleIdPath}",
                          .id = "getRole",
                          .tag = "roles",
                          .summary = "Read one role",
                          .access = may_read,
                          .runs_on = RunsOn::inline_thread}),
    };
}

} // namespace claviger
