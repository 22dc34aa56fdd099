// SPDX-License-Identifier: Apache-2.0
// Roles, version 2 (contract 2.8): a tenant makes roles of its own from permission sets.
#include "access/permission_sets.h"
#include "api/resources.h"
#include "api/role_view.h"
#include "api/scope_text.h"

namespace claviger {
namespace {

// --- answers ------------------------------------------------------------------------------------

struct NamedPermissionSet {
    Uuid id;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(NamedPermissionSet, (), (id, name))

struct RoleV2View {
    std::int32_t id = 0;
    std::string name, description;
    bool enabled = true;
    bool custom = false;
    bool effective_enabled = true;
    bool deprecated = false;
    Timestamp created_at, updated_at;
    std::string created_by;
    std::vector<NamedPermissionSet> permission_sets;
    KubernetesPermissions kubernetes_permissions;
    std::vector<PermissionActions> permissions;
};
BOOST_DESCRIBE_STRUCT(RoleV2View, (),
                      (id, name, description, enabled, custom, effective_enabled, deprecated,
                       created_at, updated_at, created_by, permission_sets, kubernetes_permissions,
                       permissions))

/// A predefined role is the permission set of its name.
std::vector<NamedPermissionSet> sets_of(const ListedRole& role) {
    std::vector<NamedPermissionSet> named;
    if (role.own == nullptr) {
        for (const PredefinedPermissionSet& set : predefined_permission_sets()) {
            if (set.name == role.name()) {
                named.push_back({set.id, set.name});
            }
        }
        return named;
    }
    for (const Uuid& id : role.own->row.permission_sets) {
        const PredefinedPermissionSet* set = find_permission_set(id);
        named.push_back({id, set != nullptr ? set->name : std::string()});
    }
    return named;
}

RoleV2View view_of(const ListedRole& role) {
    RoleV2View view;
    view.id = role.number();
    view.name = role.name();
    view.description = role.description();
    view.enabled = role.enabled();
    view.custom = role.own != nullptr;
    view.effective_enabled = view.enabled;
    view.deprecated = role.predefined != nullptr && role.predefined->is_legacy;
    view.created_at = role.created_at();
    view.updated_at = role.updated_at();
    view.created_by = role.created_by();
    view.permission_sets = sets_of(role);
    view.kubernetes_permissions = role.kubernetes_permissions();
    view.permissions = permission_actions(role.permissions());
    return view;
}

RoleV2View view_of(const Context& context, const Role& row) {
    const OwnRole own{row, permissions_of_sets(row.permission_sets)};
    return view_of(ListedRole{&context.state().tenant, nullptr, &own});
}

// --- list and read ------------------------------------------------------------------------------

struct RolesV2Request : ListRequest {};
BOOST_DESCRIBE_STRUCT(RolesV2Request, (), (limit, offset, sort_order, sort_by, filter_by, search))

struct RolesV2Response {
    std::vector<RoleV2View> roles;
    std::optional<std::int64_t> next;
};
BOOST_DESCRIBE_STRUCT(RolesV2Response, (), (roles, next))

Result<RolesV2Response> list_roles(Context& context, const RolesV2Request& request) {
    const Page page = TRY(page_of(request));
    auto walk = TRY(PageWalk<ListedRole>::begin(request, page, role_fields(), listed_role_found));
    for (const ListedRole& role : listed_roles(context.state())) {
        walk.offer(role.number(), role);
    }
    RolesV2Response answer;
    answer.next = next_offset(page, walk.total());
    for (const ListedRole& role : walk.rows()) {
        answer.roles.push_back(view_of(role));
    }
    return answer;
}

struct RoleV2Request {
    std::int32_t role_id = 0;

    RoleId id(const Context& context) const { return {context.caller.tenant(), role_id}; }
};
BOOST_DESCRIBE_STRUCT(RoleV2Request, (), (role_id))

Result<RoleV2View> read_role(Context& context, const RoleV2Request& request) {
    const auto role = find_listed_role(context.state(), request.role_id);
    if (!role) {
        return fail(ErrorCode::not_found, "no role has this roleId");
    }
    return view_of(*role);
}

// --- create and change --------------------------------------------------------------------------

struct PermissionSetChoice {
    Uuid id;
    std::optional<std::string> name; // what answers show; the id decides
};
BOOST_DESCRIBE_STRUCT(PermissionSetChoice, (), (id, name))

struct KubernetesPermissionsChoice {
    std::optional<std::string> predefined_role;
};
BOOST_DESCRIBE_STRUCT(KubernetesPermissionsChoice, (), (predefined_role))

struct RoleCreationFields {
    std::string name, description;
    std::optional<bool> enabled;
    std::vector<PermissionSetChoice> permission_sets;
    std::optional<KubernetesPermissionsChoice> kubernetes_permissions;
    std::optional<ScopeTypeText> scope_type;
    std::optional<std::string> scope_id;
    std::optional<RawJson> permissions; // read to be refused

    Result<RoleDraft> draft(const Context& context) const {
        if (permissions) {
            return fail(ErrorCode::invalid_request,
                        "permissions follow from permissionSets and cannot be given");
        }
        const std::string tenant = std::to_string(number_of(context.caller.tenant()));
        if (scope_type && scope_type->value != ScopeType::tenant) {
            return fail(ErrorCode::invalid_request, "scopeType must be tenant");
        }
        if (scope_id && *scope_id != tenant) {
            return fail(ErrorCode::invalid_request, "scopeId must be the tenant's id, " + tenant);
        }
        RoleDraft draft{name, description, enabled.value_or(true), {}, std::nullopt};
        for (const PermissionSetChoice& choice : permission_sets) {
            draft.permission_sets.push_back(choice.id);
        }
        if (kubernetes_permissions) {
            draft.kubernetes_role = kubernetes_permissions->predefined_role;
        }
        return draft;
    }
};
BOOST_DESCRIBE_STRUCT(RoleCreationFields, (),
                      (name, description, enabled, permission_sets, kubernetes_permissions,
                       scope_type, scope_id, permissions))

Result<RoleV2View> create_role(Context& context, const RoleCreationFields& request) {
    const RoleDraft draft = TRY(request.draft(context));
    const Role role = TRY(context.services.roles.create(context.caller, draft));
    return view_of(context, role);
}

struct RoleUpdateRequest : RoleV2Request, RoleCreationFields {};
BOOST_DESCRIBE_STRUCT(RoleUpdateRequest, (),
                      (role_id, name, description, enabled, permission_sets, kubernetes_permissions,
                       scope_type, scope_id, permissions))

Result<RoleV2View> update_role(Context& context, const RoleUpdateRequest& request) {
    const RoleDraft draft = TRY(request.draft(context));
    const Role role =
        TRY(context.services.roles.update(context.caller, request.id(context), draft));
    return view_of(context, role);
}

Result<Empty> delete_role(Context& context, const RoleV2Request& request) {
    TRY(context.services.roles.remove(context.caller, request.id(context)));
    return Empty{};
}

Result<Empty> enable_role(Context& context, const RoleV2Request& request) {
    TRY(context.services.roles.set_enabled(context.caller, request.id(context), true));
    return Empty{};
}

Result<Empty> disable_role(Context& context, const RoleV2Request& request) {
    TRY(context.services.roles.set_enabled(context.caller, request.id(context), false));
    return Empty{};
}

constexpr Access may(Action action) {
    return Access::permission("roles", action, EvaluatedAt::tenant);
}
constexpr Access may_read_anywhere =
    Access::permission("roles", Action::read, EvaluatedAt::anywhere);

} // namespace

Routes role_v2_routes() {
    constexpr std::string_view collection = "/api/v2/authorization/roles";
    constexpr std::string_view item = "/api/v2/authorization/roles/{roleId}";
    constexpr std::string_view tag = "roles";
    return {
        route<list_roles>({.method = HttpMethod::get,
                           .path = collection,
                           .id = "listRolesV2",
                           .tag = tag,
                           .summary = "List the roles, predefined ones and the tenant's own",
                           .access = may_read_anywhere}),
        route<create_role>(
            {.method = HttpMethod::post,
             .path = collection,
             .id = "createRole",
             .tag = tag,
             .summary = "Make a role from permission sets; nobody can make more than they hold",
             .access = may(Action::create),
             .success = 201}),
        route<read_role>({.method = HttpMethod::get,
                          .path = item,
                          .id = "getRoleV2",
                          .tag = tag,
                          .summary = "Read one role",
                          .access = may_read_anywhere,
                          .runs_on = RunsOn::inline_thread}),
        route<update_role>({.method = HttpMethod::put,
                            .path = item,
                            .id = "updateRole",
                            .tag = tag,
                            .summary = "Change an own role; acts on the next request",
                            .access = may(Action::update)}),
        route<delete_role>({.method = HttpMethod::remove,
                            .path = item,
                            .id = "deleteRole",
                            .tag = tag,
                            .summary = "Delete an own role that no access rule uses",
                            .access = may(Action::remove),
                            .success = 204}),
        route<enable_role>({.method = HttpMethod::post,
                            .path = "/api/v2/authorization/roles/{roleId}/enable",
                            .id = "enableRole",
                            .tag = tag,
                            .summary = "Let an own role give its permissions again",
                            .access = may(Action::update),
                            .success = 204}),
        route<disable_role>({.method = HttpMethod::post,
                             .path = "/api/v2/authorization/roles/{roleId}/disable",
                             .id = "disableRole",
                             .tag = tag,
                             .summary = "Let an own role give nothing until it is enabled again",
                             .access = may(Action::update),
                             .success = 204}),
    };
}

} // namespace claviger
