// SPDX-License-Identifier: Apache-2.0
#include "api/org_unit_view.h"

#include <algorithm>

namespace claviger {

Reach::Reach(const Context& context, std::string_view resource_type) : access_(context.access()) {
    const Rights rights = rights_of(context.caller.principal);
    scopes_ = permitted_scopes(access_, rights.holder(),
                               {*find_resource_type(resource_type), Action::read});
    std::ranges::sort(scopes_);
}

bool Reach::covers(NodeIndex node) const {
    for (std::optional<NodeIndex> at = node; at; at = access_.parent(*at)) {
        if (std::ranges::binary_search(scopes_, *at)) {
            return true;
        }
    }
    return false;
}

std::vector<NodeIndex> readable_units(const Context& context, ScopeType type,
                                      std::string_view resource_type) {
    const Reach reach(context, resource_type);
    std::vector<NodeIndex> nodes;
    context.access().for_each_unit(type, [&](NodeIndex node, const OrgUnit&) {
        if (reach.covers(node)) {
            nodes.push_back(node);
        }
    });
    return nodes;
}

} // namespace claviger
