// SPDX-License-Identifier: Apache-2.0
// The layout of a backup file, for backup.cpp and restore.cpp.
//
//     claviger-backup 1
//     created 2026-11-24T08:30:00.000000Z
//     part claviger.db <schema version> <bytes> <digest in hex>
//     part audit.db <schema version> <bytes> <digest in hex>
//     end <digest of the lines above>
//
// and then the bytes of the parts, one after the other.
#pragma once

#include <array>
#include <string_view>

#include "store/backup.h"
#include "store/migrations.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger {

/// The databases of a data directory, in the order in which a backup holds them.
struct BackedUpDatabase {
    std::string_view name;
    Migrations (*migrations)();
};
inline constexpr std::array backed_up_databases{
    BackedUpDatabase{store_file_name, store_migrations},
    BackedUpDatabase{audit_file_name, audit_migrations}};

/// The head of the file: everything before the bytes of the parts.
std::string print_backup_head(const BackupSummary& summary, const HashBytes& hash);

/// A part as it stands in the file.
using PartBytes = std::span<const std::uint8_t>;
struct OpenedBackup {
    BackupSummary summary;
    std::array<PartBytes, backed_up_databases.size()> parts;
};

/// Reads a whole backup file and compares every size and digest.
Result<OpenedBackup> open_backup(std::span<const std::uint8_t> bytes, const HashBytes& hash);

/// Lets SQLite check a database file as a whole; gives its schema version.
Result<std::int64_t> check_database(const std::filesystem::path& file,
                                    const BackedUpDatabase& database);

/// Removes a file or folder with everything in it, if it is there.
Result<void> remove_tree(const std::filesystem::path& path);
/// For its owner only, also when it was there.
Result<void> make_directory(const std::filesystem::path& path);
Result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

} // namespace claviger
