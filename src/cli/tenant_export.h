// SPDX-License-Identifier: Apache-2.0
// Writes one tenant as the document that tenant_records.h describes. The order depends on names
// only, so that two exports of the same tenant are equal, and those of like tenants compare well.
#pragma once

#include <functional>
#include <string_view>

#include "auth/directory.h"
#include "base/error.h"

namespace claviger {

/// Gives the document to `write` in pieces, one record a line.
Result<void> write_tenant_document(const TenantState& state,
                                   const std::function<Result<void>(std::string_view)>& write);

} // namespace claviger
