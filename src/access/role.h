// SPDX-License-Identifier: Apache-2.0
// Roles: named sets of permissions. The predefined ones are the same in every tenant.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "access/permission.h"
#include "model/model.h"

namespace claviger {

struct PredefinedRole {
    std::int32_t number = 0;
    std::string_view name;
    std::string_view description;
    bool is_legacy = false; // newer roles have come in its place
    PermissionSet permissions;
};

/// A role of one tenant and what its permission sets come to.
struct OwnRole {
    Role row;
    PermissionSet permissions; // also while it is disabled
};

/// The 21 predefined roles, by number.
std::span<const PredefinedRole> predefined_roles();
const PredefinedRole* find_role(std::int32_t number);

inline constexpr std::int32_t system_administrator = 1;
/// The numbers of tenants' own roles are above it, those of the predefined ones below.
inline constexpr std::int32_t own_role_base = 10'000;

/// Above the numbers of all predefined roles; a tenant's own roles are numbered from here.
inline constexpr std::int32_t first_own_role = 10'000;

} // namespace claviger
