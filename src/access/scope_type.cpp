// SPDX-License-Identifier: Apache-2.0
#include "access/scope_type.h"

#include <algorithm>
#include <array>

namespace claviger {
namespace {

constexpr std::array<std::string_view, 5> scope_types{"system", "tenant", "cluster", "department",
                                                      "project"};

} // namespace

std::string_view name_of(ScopeType type) {
    return scope_types[static_cast<std::size_t>(type)];
}

std::optional<ScopeType> find_scope_type(std::string_view name) {
    const auto at = std::ranges::find(scope_types, name);
    return at == scope_types.end()
               ? std::nullopt
               : std::optional(static_cast<ScopeType>(at - scope_types.begin()));
}

std::string text_of(const ScopeId& id) {
    return std::string(name_of(id.type)) + ":" + id.value;
}

} // namespace claviger
