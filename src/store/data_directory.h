// SPDX-License-Identifier: Apache-2.0
// The directory that holds everything Claviger keeps, owned by one process at a time.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"

namespace claviger {

/// Holds the lock of a data directory as long as it lives.
class DataDirectory {
public:
    /// Makes the directory (mode 0700) where it is missing, takes the lock `lock` in it, closes its
    /// files to other users, and ends a restore that was interrupted. `conflict` when another
    /// process holds the lock, `unavailable` when the directory cannot be used.
    static Result<DataDirectory> open(const std::filesystem::path& path);

    DataDirectory(DataDirectory&& other) noexcept;
    DataDirectory& operator=(DataDirectory&&) = delete;
    ~DataDirectory();

    const std::filesystem::path& path() const { return path_; }
    /// What others could use until open() took that from them; whoever opens it should say so.
    const std::vector<std::filesystem::path>& closed_to_others() const { return closed_to_others_; }

private:
    DataDirectory(std::filesystem::path path, int descriptor);

    std::filesystem::path path_;
    std::vector<std::filesystem::path> closed_to_others_;
    int descriptor_; // of the lock file; -1 when moved from
};

/// Makes the names in a directory durable.
Result<void> sync_directory(const std::filesystem::path& path);

} // namespace claviger
