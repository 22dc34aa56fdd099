// SPDX-License-Identifier: Apache-2.0
// Header fields of a request that only the map of a protected API knows the names of.
#pragma once

#include <string_view>
#include <vector>

namespace claviger {

/// The values of all fields of this name, in order; names ignore case. `lines` are header lines
/// that were admitted, each with its CRLF.
std::vector<std::string_view> header_values(std::string_view lines, std::string_view name);

} // namespace claviger
