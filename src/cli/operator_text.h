// SPDX-License-Identifier: Apache-2.0
// What the answers to operators share: arguments, lines and columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/operations.h"

namespace claviger {

using Lines = std::vector<std::string>;

/// `invalid_request` when the request does not have it.
Result<std::string> argument(const OperatorRequest& request, std::string_view name);

/// Columns as wide as their widest cell, two spaces between.
Lines aligned(const std::vector<Lines>& rows);

} // namespace claviger
