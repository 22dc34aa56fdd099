// SPDX-License-Identifier: Apache-2.0
#include "auth/master_key.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"

namespace claviger {
namespace {

/// Closes the descriptor when it goes out of scope.
struct File {
    int descriptor = -1;
    ~File() {
        if (descriptor >= 0) {
            ::close(descriptor);
        }
    }
};

std::unexpected<Error> file_error(const std::filesystem::path& file, std::string_view what) {
    return fail(ErrorCode::invalid_request, "master key " + file.string() + ": " +
                                                std::string(what) + ": " + std::strerror(errno));
}

Result<std::string> read_file(const std::filesystem::path& file, mode_t closed_to) {
    const File in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (in.descriptor < 0) {
        return file_error(file, "cannot be opened");
    }
    struct stat status{};
    if (::fstat(in.descriptor, &status) != 0) {
        return file_error(file, "cannot be read");
    }
    if ((status.st_mode & closed_to) != 0) {
        return fail(ErrorCode::invalid_request, "master key " + file.string() +
                                                    ": others can read it; run: chmod 600 " +
                                                    file.string());
    }
    std::array<char, 128> buffer{};
    const ssize_t count = ::read(in.descriptor, buffer.data(), buffer.size());
    if (count < 0) {
        return file_error(file, "cannot be read");
    }
    std::string text(buffer.data(), static_cast<std::size_t>(count));
    ::explicit_bzero(buffer.data(), buffer.size());
    return text;
}

/// The key in a file, whose name goes into the message about a wrong one.
Result<MasterKey> parse_file(const std::filesystem::path& file, mode_t closed_to) {
    std::string text = TRY(read_file(file, closed_to));
    auto key = MasterKey::parse(text);
    wipe(text);
    if (!key) {
        return fail(ErrorCode::invalid_request,
                    "master key " + file.string() + ": " + key.error().detail());
    }
    return key;
}

} // namespace

MasterKey::MasterKey(MasterKey&& other) noexcept : key_(other.key_) {
    wipe(other.key_);
}

MasterKey::~MasterKey() {
    wipe(key_);
}

Result<MasterKey> MasterKey::parse(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    auto bytes = decode_hex(text);
    if (!bytes || bytes->size() != sizeof(Key256)) {
        return fail(ErrorCode::invalid_request, "the master key must be 64 hexadecimal digits");
    }
    Key256 key;
    std::ranges::copy(*bytes, key.begin());
    wipe(*bytes);
    MasterKey made(key);
    wipe(key);
    return made;
}

MasterKey MasterKey::make(Random& random) {
    Key256 key;
    random.fill(key);
    MasterKey made(key);
    wipe(key);
    return made;
}

Result<MasterKey> MasterKey::load(const std::filesystem::path& file, bool create, Random& random) {
    std::error_code ignored;
    if (create && !std::filesystem::exists(file, ignored)) {
        TRY(make(random).write(file));
    }
    return parse_file(file, 077);
}

Result<MasterKey> MasterKey::load_credential(const std::filesystem::path& file) {
    return parse_file(file, 007);
}

Result<void> MasterKey::write(const std::filesystem::path& file) const {
    std::string text = hex(key_) + "\n";
    const File out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (out.descriptor < 0) {
        wipe(text);
        return file_error(file, "cannot be created");
    }
    const ssize_t written = ::write(out.descriptor, text.data(), text.size());
    const bool complete = written == static_cast<ssize_t>(text.size());
    wipe(text);
    if (!complete || ::fsync(out.descriptor) != 0) {
        return file_error(file, "cannot be written");
    }
    const File directory{::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.descriptor >= 0 && ::fsync(directory.descriptor) != 0) {
        return file_error(file, "its folder cannot be synced");
    }
    return {};
}

std::string MasterKey::id() const {
    const Key256 digest = derive("claviger master key id 1");
    return hex(std::span(digest).first(8));
}

Key256 MasterKey::derive(std::string_view purpose) const {
    return hkdf_sha256(key_, purpose);
}

} // namespace claviger
