// SPDX-License-Identifier: Apache-2.0
// For tests: a VFS in front of the system's that lets an observer see, and fail, what SQLite does
// to its files. It becomes the default VFS, so the code under test does not know of it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include <sqlite3.h>

namespace claviger::testing {

/// Each call gives SQLITE_OK to go ahead, or the status that SQLite shall see instead.
/// `path` is the full path; calls come from every thread that uses SQLite.
class VfsObserver {
public:
    virtual ~VfsObserver() = default;
    virtual int on_write(std::string_view path, std::int64_t offset, std::string_view bytes) = 0;
    virtual int on_truncate(std::string_view path, std::int64_t size) = 0;
    virtual int on_sync(std::string_view path) = 0;
    virtual int on_delete(std::string_view path) = 0;
};

/// Registered as long as it lives; one at a time. Files must be closed before it dies.
/// Syncs are seen by the observer only and never reach the disk, which makes tests fast.
class ShimVfs {
public:
    explicit ShimVfs(VfsObserver& observer) : base_(sqlite3_vfs_find(nullptr)), vfs_(*base_) {
        observer_ = &observer;
        real_ = base_;
        vfs_.zName = "claviger-shim";
        vfs_.szOsFile = static_cast<int>(sizeof(ShimFile)) + base_->szOsFile;
        vfs_.xOpen = open;
        vfs_.xDelete = remove;
        sqlite3_vfs_register(&vfs_, 1);
    }
    ShimVfs(const ShimVfs&) = delete;
    ShimVfs& operator=(const ShimVfs&) = delete;
    ~ShimVfs() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(base_, 1);
    }

private:
    struct ShimFile { // the real file follows in memory
        sqlite3_file base;
        const char* path; // lives as long as the file is open
    };

    static sqlite3_file* real(sqlite3_file* file) {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<ShimFile*>(file) + 1);
    }
    static std::string_view path_of(sqlite3_file* file) {
        const char* path = reinterpret_cast<ShimFile*>(file)->path;
        return path == nullptr ? std::string_view() : std::string_view(path);
    }

    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
        auto* shim = reinterpret_cast<ShimFile*>(file);
        shim->path = path;
        shim->base.pMethods = nullptr;
        const int status = real_->xOpen(real_, path, real(file), flags, out);
        if (status == SQLITE_OK) {
            shim->base.pMethods = &methods();
        }
        return status;
    }
    static int remove(sqlite3_vfs*, const char* path, int sync_directory) {
        const int status = observer_->on_delete(path);
        return status == SQLITE_OK ? real_->xDelete(real_, path, sync_directory) : status;
    }

    static int close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
    static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
        return real(file)->pMethods->xRead(real(file), out, size, offset);
    }
    static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
        const std::string_view text(static_cast<const char*>(bytes),
                                    static_cast<std::size_t>(size));
        const int status = observer_->on_write(path_of(file), offset, text);
        return status == SQLITE_OK ? real(file)->pMethods->xWrite(real(file), bytes, size, offset)
                                   : status;
    }
    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        const int status = observer_->on_truncate(path_of(file), size);
        return status == SQLITE_OK ? real(file)->pMethods->xTruncate(real(file), size) : status;
    }
    static int sync(sqlite3_file* file, int) { return observer_->on_sync(path_of(file)); }
    static int file_size(sqlite3_file* file, sqlite3_int64* out) {
        return real(file)->pMethods->xFileSize(real(file), out);
    }
    static int lock(sqlite3_file* file, int level) {
        return real(file)->pMethods->xLock(real(file), level);
    }
    static int unlock(sqlite3_file* file, int level) {
        return real(file)->pMethods->xUnlock(real(file), level);
    }
    static int check_lock(sqlite3_file* file, int* out) {
        return real(file)->pMethods->xCheckReservedLock(real(file), out);
    }
    static int control(sqlite3_file* file, int operation, void* argument) {
        return real(file)->pMethods->xFileControl(real(file), operation, argument);
    }
    static int sector_size(sqlite3_file*) { return 512; }
    static int characteristics(sqlite3_file* file) {
        return real(file)->pMethods->xDeviceCharacteristics(real(file));
    }
    static int map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
        return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
    }
    static int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
        return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
    }
    static void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
    static int unmap(sqlite3_file* file, int and_delete) {
        return real(file)->pMethods->xShmUnmap(real(file), and_delete);
    }

    static const sqlite3_io_methods& methods() {
        // Version 2 has no memory mapping of the file itself.
        static const sqlite3_io_methods table{
            2,      close,      read,    write,       truncate,        sync, file_size,   lock,
            unlock, check_lock, control, sector_size, characteristics, map,  lock_shared, barrier,
            unmap,  nullptr,    nullptr};
        return table;
    }

    static inline VfsObserver* observer_ = nullptr;
    static inline sqlite3_vfs* real_ = nullptr;

    sqlite3_vfs* base_;
    sqlite3_vfs vfs_;
};

} // namespace claviger::testing
