// SPDX-License-Identifier: Apache-2.0
// A file descriptor that closes itself and whose failures are Results.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/error.h"

namespace claviger {

/// `unavailable` with the text of errno.
std::unexpected<Error> fail_with_errno(const std::string& what);

/// What root makes in another user's data directory belongs to that user, as whom the server runs.
void give_to_owner_of(const std::filesystem::path& directory, const std::filesystem::path& made);

class File {
public:
    /// `flags` as for open(2); a new file is for its owner only.
    static Result<File> open(const std::filesystem::path& path, int flags);

    File(File&& other) noexcept
        : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&&) = delete;
    ~File();

    Result<std::uint64_t> size() const;
    /// All of `bytes`, or an error.
    Result<void> write_at(std::uint64_t offset, std::string_view bytes) const;
    /// Up to `size` bytes; fewer only at the end of the file.
    Result<std::string> read_at(std::uint64_t offset, std::size_t size) const;
    /// Reserves space, so that later writes below `size` cannot run out of disk.
    Result<void> allocate(std::uint64_t size) const;
    /// Makes content and size durable.
    Result<void> sync() const;

    int descriptor() const { return descriptor_; }

private:
    File(std::filesystem::path path, int descriptor)
        : path_(std::move(path)), descriptor_(descriptor) {}

    std::filesystem::path path_;
    int descriptor_;
};

/// The content of a file that nobody changes, without a copy in memory.
class MappedFile {
public:
    static Result<MappedFile> open(const std::filesystem::path& path);
    MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    MappedFile& operator=(MappedFile&&) = delete;
    ~MappedFile();

    std::span<const std::uint8_t> bytes() const { return bytes_; }

private:
    explicit MappedFile(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    std::span<const std::uint8_t> bytes_;
};

} // namespace claviger
