// SPDX-License-Identifier: Apache-2.0
// The questions that a decision answers, asked the other way round: who may, and where. Each is
// judged by decide(), so that nothing stands in a list that a decision would deny.
#pragma once

#include <vector>

#include "access/decide.h"

namespace claviger {

/// The subjects of rules that permit this at the scope, each once, in their own order. Those who
/// are in a group are not told apart: the group stands for them.
std::vector<Subject> who_can(const AccessSnapshot& snapshot, Permission permission,
                             NodeIndex scope);

/// The live units of one type at which the holder may do this, in the order of creation.
std::vector<NodeIndex> where_can(const AccessSnapshot& snapshot, const AccessHolder& holder,
                                 Permission permission, ScopeType type);

} // namespace claviger
