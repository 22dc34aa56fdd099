// SPDX-License-Identifier: Apache-2.0
// The schemas of the two databases as numbered steps. A step that was released is never edited:
// change the schema by adding one at the end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "store/sqlite_connection.h"

namespace claviger {

/// Element i brings a database from schema version i to i + 1.
using Migrations = std::span<const std::string_view>;

Migrations store_migrations();
Migrations audit_migrations();

/// Brings the database to the last version, each step in a transaction of its own. A database of a
/// newer version is refused.
Result<void> migrate(Connection& connection, Migrations migrations);

/// 0 for an empty database.
Result<std::int64_t> schema_version(Connection& connection);

} // namespace claviger
