// SPDX-License-Identifier: Apache-2.0
// The grounds of a decision in the words of the API: where something is held, and which access
// rules would be enough.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/smallest_grant.h"
#include "api/scope_text.h"

namespace claviger {

/// The path is of names of the tree, which are for administrators.
struct ScopeView {
    ScopeTypeText scope_type;
    std::string scope_id;
    std::optional<std::string> path;
};
BOOST_DESCRIBE_STRUCT(ScopeView, (), (scope_type, scope_id, path))

struct SmallestGrantView {
    std::int32_t role_id = 0;
    std::string role_name;
    std::optional<ScopeTypeText> scope_type; // absent: any scope helps
    std::optional<std::string> scope_id;
    std::int64_t also_allows_count = 0; // besides what is asked for and what is held there already
    std::vector<std::string> also_allows;
};
BOOST_DESCRIBE_STRUCT(SmallestGrantView, (),
                      (role_id, role_name, scope_type, scope_id, also_allows_count, also_allows))

ScopeView scope_view(const AccessSnapshot& access, NodeIndex node, bool with_path);
/// Of the first few.
std::vector<ScopeView> scope_views(const AccessSnapshot& access, std::span<const NodeIndex> nodes,
                                   bool with_path);

/// Of what is held, the permissions of the resource type of `missing`.
std::vector<std::string> held_of_the_type(const PermissionSet& held, Permission missing);

/// Of the first few; `held` is what the subjects may do there already.
std::vector<SmallestGrantView> grant_views(const AccessSnapshot& access,
                                           std::span<const GrantSuggestion> grants,
                                           Permission missing, const PermissionSet& held);

} // namespace claviger
