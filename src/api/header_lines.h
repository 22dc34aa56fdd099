// SPDX-License-Identifier: Apache-2.0
// Header fields of a request that only the map of a protected API knows the names of.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace claviger {

/// The values of all fields of this name, in order; names ignore case. `lines` are header lines
/// that were admitted, each with its CRLF.
std::vector<std::string_view> header_values(std::string_view lines, std::string_view name);

/// The value of the only field of this name; nothing when there is none, or several.
std::optional<std::string_view> only_header_value(std::string_view lines, std::string_view name);
/// Likewise of several names, which are looked for at once; `values` is as long as `names`.
void only_header_values(std::string_view lines, std::span<const std::string_view> names,
                        std::span<std::optional<std::string_view>> values);

} // namespace claviger
