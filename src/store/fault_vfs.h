// SPDX-License-Identifier: Apache-2.0
// For tests: makes the disk full or broken under SQLite.
#pragma once

#include <atomic>

#include "store/shim_vfs.h"

namespace claviger::testing {

class DiskFaults final : public VfsObserver {
public:
    /// What writing and syncing give from now on; SQLITE_OK heals.
    void fail_writes(int status) { write_status_ = status; }
    void fail_syncs(int status) { sync_status_ = status; }
    /// Files whose path does not end so are spared.
    void only_files_ending(std::string_view ending) { ending_ = ending; }

    int on_write(std::string_view path, std::int64_t, std::string_view) override {
        return hits(path) ? write_status_.load() : SQLITE_OK;
    }
    int on_truncate(std::string_view, std::int64_t) override { return SQLITE_OK; }
    int on_sync(std::string_view path) override {
        return hits(path) ? sync_status_.load() : SQLITE_OK;
    }
    int on_delete(std::string_view) override { return SQLITE_OK; }

private:
    bool hits(std::string_view path) const { return path.ends_with(ending_); }

    std::atomic<int> write_status_ = SQLITE_OK;
    std::atomic<int> sync_status_ = SQLITE_OK;
    std::string_view ending_ = "-wal";
};

} // namespace claviger::testing
