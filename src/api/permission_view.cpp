// SPDX-License-Identifier: Apache-2.0
#include "api/permission_view.h"

namespace claviger {

std::vector<PermissionView> permission_views(const PermissionSet& permissions) {
    std::vector<PermissionView> views;
    for (const ResourceTypeEntry& type : resource_types()) {
        PermissionView view{
            std::string(type.name), std::string(type.display_name), std::string(type.group), {}};
        for (std::size_t i = 0; i < action_count; ++i) {
            const auto action = static_cast<Action>(i);
            if (permissions.contains({type.id, action})) {
                view.actions.emplace_back(name_of(action));
            }
        }
        if (!view.actions.empty()) {
            views.push_back(std::move(view));
        }
    }
    return views;
}

std::vector<PermissionActions> permission_actions(const PermissionSet& permissions) {
    std::vector<PermissionActions> shorter;
    for (PermissionView& view : permission_views(permissions)) {
        shorter.push_back({std::move(view.resource_type), std::move(view.actions)});
    }
    return shorter;
}

} // namespace claviger
