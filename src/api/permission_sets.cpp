// SPDX-License-Identifier: Apache-2.0
// The permission sets that own roles are made from (contract 2.8).
#include "access/permission_sets.h"

#include "api/permission_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct PermissionSetView {
    Uuid id;
    std::string name, description;
    std::vector<PermissionActions> permissions;
};
BOOST_DESCRIBE_STRUCT(PermissionSetView, (), (id, name, description, permissions))

PermissionSetView view_of(const PredefinedPermissionSet& set) {
    return {set.id, set.name, set.description, permission_actions(set.permissions)};
}

struct PermissionSetsResponse {
    std::vector<PermissionSetView> permission_sets;
};
BOOST_DESCRIBE_STRUCT(PermissionSetsResponse, (), (permission_sets))

Result<PermissionSetsResponse> list_permission_sets(Context&, const NoFields&) {
    PermissionSetsResponse answer;
    for (const PredefinedPermissionSet& set : predefined_permission_sets()) {
        answer.permission_sets.push_back(view_of(set));
    }
    return answer;
}

struct PermissionSetRequest {
    std::string permission_set_id;
};
BOOST_DESCRIBE_STRUCT(PermissionSetRequest, (), (permission_set_id))

Result<PermissionSetView> read_permission_set(Context&, const PermissionSetRequest& request) {
    const auto id = Uuid::parse(request.permission_set_id);
    const PredefinedPermissionSet* set = id ? find_permission_set(*id) : nullptr;
    if (set == nullptr) {
        return fail(ErrorCode::not_found, "no permission set has this permissionSetId");
    }
    return view_of(*set);
}

} // namespace

Routes permission_set_routes() {
    constexpr std::string_view collection = "/api/v1/authorization/permission-sets";
    constexpr Access may_read = Access::permission("roles", Action::read, EvaluatedAt::anywhere);
    return {
        route<list_permission_sets>({.method = HttpMethod::get,
                                     .path = collection,
                                     .id = "listPermissionSets",
                                     .tag = "roles",
                                     .summary = "List the permission sets that roles are made from",
                                     .access = may_read}),
        route<read_permission_set>(
            {.method = HttpMethod::get,
             .path = "/api/v1/authorization/permission-sets/{permissionSetId}",
             .id = "getPermissionSet",
             .tag = "roles",
             .summary = "Read one permission set",
             .access = may_read,
             .runs_on = RunsOn::inline_thread}),
    };
}

} // namespace claviger
