// SPDX-License-Identifier: Apache-2.0
// The route map of protected APIs, read from a TOML file. docs/guides/gateways.md describes it.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "api/route_map.h"

namespace claviger {

/// The map, or every problem that its file has, each with the place: "routes.toml:12: ...".
std::expected<RouteMap, std::vector<std::string>> read_route_map(const std::filesystem::path& file);

} // namespace claviger
