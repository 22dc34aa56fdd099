// SPDX-License-Identifier: Apache-2.0
// The kinds of node of the tree in the words of the contract.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/ids.h"

namespace claviger {

std::string_view name_of(ScopeType type); // "project"
std::optional<ScopeType> find_scope_type(std::string_view name);
/// "project:4711", in short.
std::string text_of(const ScopeId& id);

} // namespace claviger
