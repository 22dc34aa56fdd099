// SPDX-License-Identifier: Apache-2.0
#include "store/file.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace claviger {

std::unexpected<Error> fail_with_errno(const std::string& what) {
    return fail(ErrorCode::unavailable, what + ": " + std::generic_category().message(errno));
}

void give_to_owner_of(const std::filesystem::path& directory, const std::filesystem::path& made) {
    struct stat status{};
    if (::geteuid() == 0 && ::stat(directory.c_str(), &status) == 0) {
        // Where root may not do that (some containers), its own server can still use the file.
        std::ignore = ::lchown(made.c_str(), status.st_uid, status.st_gid);
    }
}

Result<File> File::open(const std::filesystem::path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return fail_with_errno("cannot open " + path.string());
    }
    return File(path, descriptor);
}

File::~File() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

Result<std::uint64_t> File::size() const {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) {
        return fail_with_errno("cannot read " + path_.string());
    }
    return static_cast<std::uint64_t>(status.st_size);
}

Result<void> File::write_at(std::uint64_t offset, std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return fail_with_errno("cannot write " + path_.string());
        }
        offset += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> File::read_at(std::uint64_t offset, std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t got = ::pread(descriptor_, bytes.data() + filled, size - filled,
                                    static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_with_errno("cannot read " + path_.string());
        }
        if (got == 0) {
            break;
        }
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

Result<void> File::allocate(std::uint64_t size) const {
    errno = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size));
    return errno == 0 ? Result<void>{} : fail_with_errno("cannot reserve " + path_.string());
}

Result<void> File::sync() const {
    return ::fsync(descriptor_) == 0 ? Result<void>{}
                                     : fail_with_errno("cannot sync " + path_.string());
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    const File file = TRY(File::open(path, O_RDONLY));
    const std::uint64_t size = TRY(file.size());
    if (size == 0) {
        return MappedFile({});
    }
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (start == MAP_FAILED) {
        return fail_with_errno("cannot read " + path.string());
    }
    return MappedFile({static_cast<const std::uint8_t*>(start), size});
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
    }
}

} // namespace claviger
