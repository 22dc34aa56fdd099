// SPDX-License-Identifier: Apache-2.0
// Roles, predefined ones and the tenant's own, as both versions of the API show them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/context.h"
#include "api/filter.h"
#include "api/permission_view.h"

namespace claviger {

struct KubernetesPermissions {
    Nullable<std::string> predefined_role;
};
BOOST_DESCRIBE_STRUCT(KubernetesPermissions, (), (predefined_role))

/// One role of a tenant, read where it stands.
struct ListedRole {
    const Tenant* tenant = nullptr;
    const PredefinedRole* predefined = nullptr;
    const OwnRole* own = nullptr; // when it is no predefined one

    std::int32_t number() const;
    std::string_view name() const;
    std::string_view description() const;
    std::string_view created_by() const;
    Timestamp created_at() const; // predefined roles come with the tenant
    Timestamp updated_at() const;
    bool enabled() const;
    const PermissionSet& permissions() const;
    KubernetesPermissions kubernetes_permissions() const;
    /// The contract's scope of the definition: predefined ones are the system's.
    ScopeType scope_type() const;
};

std::optional<ListedRole> find_listed_role(const TenantState& state, std::int32_t number);
/// The predefined ones first, then the tenant's own, each by number.
std::vector<ListedRole> listed_roles(const TenantState& state);

const std::vector<ListField<ListedRole>>& role_fields();
bool listed_role_found(const ListedRole& role, std::string_view search);

} // namespace claviger
