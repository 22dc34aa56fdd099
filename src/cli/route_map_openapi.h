// SPDX-License-Identifier: Apache-2.0
// Routes of a protected API from its OpenAPI document: by the extension `x-claviger` of an
// operation, or by its tags.
#pragma once

#include <filesystem>

#include "cli/route_map_reader.h"

namespace claviger {

/// Adds a route for each operation that says what it needs. `table` is the [[api]], whose member
/// `openapi` names the document, as JSON, from `folder` on. Operations that say nothing stay
/// unmapped.
void read_openapi_routes(RouteMapReader& reader, const toml::table& table,
                         const std::filesystem::path& folder, ProtectedApi& api);

} // namespace claviger
