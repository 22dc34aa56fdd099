// SPDX-License-Identifier: Apache-2.0
// Sets of permissions as roles and the caller's own list show them.
#pragma once

#include <string>
#include <vector>

#include "access/permission.h"
#include "api/codec.h"

namespace claviger {

struct PermissionView {
    std::string resource_type, display_name, group_id;
    std::vector<std::string> actions;
};
BOOST_DESCRIBE_STRUCT(PermissionView, (), (resource_type, display_name, group_id, actions))

/// The shorter form of newer operations.
struct PermissionActions {
    std::string resource_type;
    std::vector<std::string> actions;
};
BOOST_DESCRIBE_STRUCT(PermissionActions, (), (resource_type, actions))

/// One entry for each resource type that has an action in the set, in the order of the table.
std::vector<PermissionView> permission_views(const PermissionSet& permissions);
std::vector<PermissionActions> permission_actions(const PermissionSet& permissions);

} // namespace claviger
