// SPDX-License-Identifier: Apache-2.0
// Puts a backup in place of the databases of a stopped data directory. The parts are unpacked and
// checked in the folder `restoring` first; a marker in it then decides: with it the restore is
// finished even after a crash, without it nothing has happened.
#pragma once

#include <filesystem>

#include "store/backup.h"
#include "store/data_directory.h"

namespace claviger {

/// The old files are kept in `before-restore-<time>` in the data directory.
Result<BackupSummary> restore(const std::filesystem::path& file, const DataDirectory& directory,
                              Timestamp now, const HashBytes& hash);

/// Ends or drops what restore() left behind in a crash. DataDirectory::open calls it.
Result<void> finish_interrupted_restore(const DataDirectory& directory);

} // namespace claviger
