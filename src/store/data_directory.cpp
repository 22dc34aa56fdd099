// SPDX-License-Identifier: Apache-2.0
#include "store/data_directory.h"

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"
#include "store/restore.h"
#include "store/sqlite_store.h"

namespace claviger {

namespace {

constexpr mode_t others = 0077;

using Paths = std::vector<std::filesystem::path>;

/// Takes from others what they may do with it, and adds it to `closed`.
Result<void> close_to_others(const std::filesystem::path& path, mode_t mode, Paths& closed) {
    if (::chmod(path.c_str(), mode & ~others & 07777) != 0) {
        return fail_with_errno("cannot close " + path.string() + " to other users");
    }
    closed.push_back(path);
    return {};
}

Result<void> make_private(const std::filesystem::path& path, Paths& closed) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(path.c_str(), S_IRWXU) == 0) {
        return {};
    }
    if (errno != EEXIST) {
        return fail_with_errno("cannot make the data directory " + path.string());
    }
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        return fail_with_errno("cannot read the data directory " + path.string());
    }
    if (!S_ISDIR(status.st_mode)) {
        return fail(ErrorCode::unavailable, path.string() + " is not a directory");
    }
    if ((status.st_mode & others) == 0) {
        return {};
    }
    // Somebody's home that was named by mistake must not be closed to others.
    const bool is_ours = std::filesystem::exists(path / store_file_name, error) ||
                         std::filesystem::is_empty(path, error);
    if (!is_ours || status.st_uid != ::geteuid()) {
        return fail(ErrorCode::unavailable, "data directory " + path.string() +
                                                " is open to other users: chmod 700 " +
                                                path.string());
    }
    return close_to_others(path, status.st_mode, closed);
}

Result<void> make_files_private(const std::filesystem::path& directory, Paths& closed) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        struct stat status{};
        const bool is_ours = ::lstat(entry.path().c_str(), &status) == 0 &&
                             S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
        if (is_ours && (status.st_mode & others) != 0) {
            TRY(close_to_others(entry.path(), status.st_mode, closed));
        }
    }
    return {};
}

std::string holder_of(int descriptor) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
    std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (const auto end = holder.find('\n'); end != std::string::npos) {
        holder.resize(end);
    }
    return holder.empty() ? "that has just started" : holder;
}

} // namespace

Result<DataDirectory> DataDirectory::open(const std::filesystem::path& given) {
    std::error_code error;
    const auto path = std::filesystem::absolute(given, error).lexically_normal();
    Paths closed;
    TRY(make_private(path, closed));
    const auto lock = path / "lock";
    const int descriptor = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return fail_with_errno("cannot open " + lock.string());
    }
    DataDirectory directory(path, descriptor);
    give_to_owner_of(path, lock);
    directory.closed_to_others_ = std::move(closed);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail_with_errno("cannot lock " + lock.string());
        }
        return fail(ErrorCode::conflict, "data directory " + path.string() +
                                             " is in use by process " + holder_of(descriptor));
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(descriptor, 0) != 0 ||
        ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return fail_with_errno("cannot write " + lock.string());
    }
    TRY(make_files_private(path, directory.closed_to_others_));
    TRY(finish_interrupted_restore(directory));
    TRY(sync_directory(path));
    return directory;
}

DataDirectory::DataDirectory(std::filesystem::path path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), closed_to_others_(std::move(other.closed_to_others_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

DataDirectory::~DataDirectory() {
    if (descriptor_ >= 0) {
        ::close(descriptor_); // drops the lock
    }
}

Result<void> sync_directory(const std::filesystem::path& path) {
    const File directory = TRY(File::open(path, O_RDONLY | O_DIRECTORY));
    return directory.sync();
}

} // namespace claviger
