// SPDX-License-Identifier: Apache-2.0
// Roles, version 1 (contract 2.7): read only.
#include "api/resources.h"
#include "api/role_view.h"

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
    std::optional<KubernetesPermissions> kubernetes_permissions;
};
BOOST_DESCRIBE_STRUCT(RoleView, (),
                      (id, name, description, permissions, created_at, updated_at, created_by,
                       custom, enabled, effective_enabled, kubernetes_permissions))

RoleView view_of(const ListedRole& role) {
    RoleView view;
    view.id = role.number();
    view.name = role.name();
    view.description = role.description();
    view.permissions = permission_views(role.permissions());
    view.created_at = role.created_at();
    view.updated_at = role.updated_at();
    view.created_by = role.created_by();
    view.custom = role.own != nullptr;
    view.enabled = role.enabled();
    view.effective_enabled = view.enabled;
    if (view.custom) {
        view.kubernetes_permissions = role.kubernetes_permissions();
    }
    return view;
}

Result<std::vector<RoleView>> list_roles(Context& context, const NoFields&) {
    std::vector<RoleView> views;
    for (const ListedRole& role : listed_roles(context.state())) {
        views.push_back(view_of(role));
    }
    return views;
}

struct RoleRequest {
    std::int32_t role_id_path = 0;
};
BOOST_DESCRIBE_STRUCT(RoleRequest, (), (role_id_path))

Result<RoleView> read_role(Context& context, const RoleRequest& request) {
    const auto role = find_listed_role(context.state(), request.role_id_path);
    if (!role) {
        return fail(ErrorCode::not_found, "no role has this roleIdPath");
    }
    return view_of(*role);
}

} // namespace

Routes role_routes() {
    constexpr Access may_read = Access::permission("roles", Action::read, EvaluatedAt::anywhere);
    return {
        route<list_roles>({.method = HttpMethod::get,
                           .path = "/api/v1/authorization/roles",
                           .id = "listRoles",
                           .tag = "roles",
                           .summary = "List all roles, predefined ones and the tenant's own",
                           .access = may_read}),
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
