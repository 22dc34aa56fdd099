// SPDX-License-Identifier: Apache-2.0
// Records what SQLite does to its files, and builds the disk as a power loss could leave it.
//
// The model: a write or truncation is safe once its file was synced after it; a deletion is safe
// once anything was synced after it. Of the rest, any subset may be there, and a write may be torn
// between two sectors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "store/shim_vfs.h"

namespace claviger::testing {

class DiskRecording final : public VfsObserver {
public:
    /// How much of what was not synced is there after the power loss.
    enum class Unsynced { nothing, some_torn, everything };

    /// Operations so far: a moment. Safe from any thread.
    std::size_t now() const;

    /// Writes the files into `directory` as a power loss at `moment` could leave them.
    void rebuild(std::size_t moment, Unsynced unsynced, std::mt19937_64& random,
                 const std::filesystem::path& directory) const;

    int on_write(std::string_view path, std::int64_t offset, std::string_view bytes) override;
    int on_truncate(std::string_view path, std::int64_t size) override;
    int on_sync(std::string_view path) override;
    int on_delete(std::string_view path) override;

private:
    enum class Kind { write, truncate, sync, remove };
    struct Operation {
        Kind kind;
        std::string file; // its name without the directory
        std::size_t offset = 0;
        std::string bytes{};
    };
    using Disk = std::map<std::string, std::string>;

    int add(Operation operation);
    std::vector<bool> safe_before(std::size_t moment) const;
    static void apply(const Operation& operation, std::size_t length, Disk& disk);

    mutable std::mutex mutex_;
    std::vector<Operation> operations_;
};

} // namespace claviger::testing
