// SPDX-License-Identifier: Apache-2.0
#include "cli/option_sources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace claviger {
namespace {

constexpr std::size_t longest_line = 4096;

std::string reason() {
    return std::generic_category().message(errno);
}

/// Reads until a line is complete, the file ends, or it is too long.
Result<std::string> read_line(int descriptor) {
    std::string text;
    char block[512];
    while (text.find('\n') == std::string::npos) {
        const ssize_t count = read(descriptor, block, sizeof block);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return fail(ErrorCode::invalid_request,
                        "cannot be read (" + reason() + "); name a readable file");
        }
        text.append(block, static_cast<std::size_t>(count));
        if (count == 0) {
            break;
        }
        if (text.size() > longest_line) {
            wipe(text);
            return fail(ErrorCode::invalid_request,
                        "has a first line of over 4096 bytes; name the right file");
        }
    }
    wipe({reinterpret_cast<std::uint8_t*>(block), sizeof block});
    std::string line = text.substr(0, text.find_first_of("\r\n"));
    wipe(text);
    return line;
}

} // namespace

std::optional<std::string> read_variable(const std::string& name, bool take) {
    char* const text = std::getenv(name.c_str());
    if (text == nullptr) {
        return std::nullopt;
    }
    std::string value = text;
    if (take) {
        // Also in place: /proc/PID/environ shows this memory, not the list that unsetenv edits.
        wipe({reinterpret_cast<std::uint8_t*>(text), value.size()});
        unsetenv(name.c_str());
    }
    return value;
}

Result<std::string> read_first_line(const std::filesystem::path& file, bool is_secret) {
    const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return fail(ErrorCode::invalid_request,
                    "cannot be opened (" + reason() + "); name a readable file");
    }
    struct stat status{};
    if (is_secret && (fstat(descriptor, &status) != 0 || (status.st_mode & 077) != 0)) {
        close(descriptor);
        return fail(ErrorCode::invalid_request,
                    "can be read by the group or others; run chmod 600 on it");
    }
    auto line = read_line(descriptor);
    close(descriptor);
    if (line && line->empty()) {
        return fail(ErrorCode::invalid_request, "has an empty first line; write the value there");
    }
    return line;
}

} // namespace claviger
