// SPDX-License-Identifier: Apache-2.0
// Streams the live rows of the main database in one consistent read.
#pragma once

#include "store/sqlite_connection.h"
#include "store/store.h"

namespace claviger {

/// Tenants first, then parents before children. The Row given to `visit` is reused.
Result<void> load_rows(Connection& reader, const Store::RowVisitor& visit);

} // namespace claviger
