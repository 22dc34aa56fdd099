// SPDX-License-Identifier: Apache-2.0
// The roles that tenants make for themselves from permission sets (contract 2.8). Nobody makes,
// changes, switches or deletes a role that holds, before or after, more than they do themselves in
// the whole tenant. Predefined roles never change.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/caller.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

inline constexpr std::size_t most_own_roles = 1000;           // a tenant
inline constexpr std::size_t most_permission_sets = 64;       // a role
inline constexpr std::size_t longest_role_description = 1024; // bytes

struct RoleDraft {
    std::string name; // unique in the tenant, ignoring ASCII case
    std::string description;
    bool enabled = true;
    std::vector<Uuid> permission_sets;
    std::optional<std::string> kubernetes_role; // the number of a predefined role
};

class Roles {
public:
    Roles(Store& store, const Clock& clock);

    /// `invalid_request` for what cannot be, `conflict` for a taken name, `access_denied` for more
    /// than the caller holds; also in what follows.
    Result<Role> create(const Caller& caller, const RoleDraft& draft);
    Result<Role> update(const Caller& caller, RoleId id, const RoleDraft& draft);
    /// A disabled role lets its holders do nothing.
    Result<void> set_enabled(const Caller& caller, RoleId id, bool enabled);
    /// `conflict` while access rules use the role.
    Result<void> remove(const Caller& caller, RoleId id);

private:
    using Change = std::function<Result<void>(Transaction&, Role&)>;
    Result<Role> change(const Caller& caller, RoleId id, std::string_view action,
                        const Change& change);
    Store& store_;
    const Clock& clock_;
};

} // namespace claviger
