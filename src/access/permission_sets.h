// SPDX-License-Identifier: Apache-2.0
// The permission sets that tenants make their own roles from: for each resource type one to view
// and one to manage, and one for each predefined role. The same in every tenant.
#pragma once

#include <span>
#include <string>

#include "access/permission.h"
#include "base/uuid.h"

namespace claviger {

struct PredefinedPermissionSet {
    Uuid id; // follows from the name, for ever
    std::string name;
    std::string description;
    PermissionSet permissions;
};

/// All of them, in the order of the document.
std::span<const PredefinedPermissionSet> predefined_permission_sets();
const PredefinedPermissionSet* find_permission_set(const Uuid& id);

/// The union of the sets; unknown ones hold nothing.
PermissionSet permissions_of_sets(std::span<const Uuid> ids);

} // namespace claviger
