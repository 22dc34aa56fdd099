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

namespace claviger {

namespace {

constexpr mode_t owner_only = 0700;
constexpr mode_t others = 0077;

Result<void> make_private(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(path.c_str(), owner_only) == 0) {
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
    if (!std::filesystem::is_empty(path, error)) {
        return fail(ErrorCode::unavailable, "data directory " + path.string() +
                                                " is open to other users: chmod 700 " +
                                                path.string());
    }
    if (::chmod(path.c_str(), owner_only) != 0) {
        return fail_with_errno("cannot close the data directory " + path.string() + " to others");
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
    TRY(make_private(path));
    const auto lock = path / "lock";
    const int descriptor = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return fail_with_errno("cannot open " + lock.string());
    }
    DataDirectory directory(path, descriptor);
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
    TRY(finish_interrupted_restore(directory));
    TRY(sync_directory(path));
    return directory;
}

DataDirectory::DataDirectory(std::filesystem::path path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

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
