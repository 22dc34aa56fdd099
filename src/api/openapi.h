// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.0 document, made from the routes.
#pragma once

#include <string>

#include "api/route.h"

namespace claviger {

/// Indented JSON with a stable order, for reading and for diffs.
std::string openapi_document(const Routes& routes, std::string_view version);

} // namespace claviger
