// SPDX-License-Identifier: Apache-2.0
#include "cli/control_client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "cli/operator_messages.h"

namespace claviger {
namespace {

/// A connection that closes itself.
class ControlConnection {
public:
    explicit ControlConnection(int descriptor) : descriptor_(descriptor) {}
    ControlConnection(const ControlConnection&) = delete;
    ControlConnection& operator=(const ControlConnection&) = delete;
    ~ControlConnection() { close(descriptor_); }

    bool send_all(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t count = send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count < 0 && errno != EINTR) {
                return false;
            }
            text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
        }
        return true;
    }

    /// Up to the newline; nothing when the other end closed before it.
    std::optional<std::string> receive_line() const {
        std::string text;
        char block[4096];
        while (!text.ends_with('\n')) {
            const ssize_t count = recv(descriptor_, block, sizeof block, 0);
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count <= 0) {
                return std::nullopt;
            }
            text.append(block, static_cast<std::size_t>(count));
        }
        text.pop_back();
        return text;
    }

private:
    int descriptor_;
};

std::string reason(int error) {
    return std::generic_category().message(error);
}

} // namespace

Result<ControlAddress> ControlAddress::of(const std::filesystem::path& directory) {
    ControlAddress address;
    address.path_ = directory / control_socket_name;
    std::string text = address.path_.string();
    if (text.size() >= sizeof address.name_.sun_path) {
        address.directory_ = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (address.directory_ < 0) {
            return fail(ErrorCode::unavailable,
                        directory.string() + " cannot be opened: " + reason(errno));
        }
        text = "/proc/self/fd/" + std::to_string(address.directory_) + "/" +
               std::string(control_socket_name);
    }
    address.name_.sun_family = AF_UNIX;
    text.copy(address.name_.sun_path, sizeof address.name_.sun_path - 1);
    return address;
}

ControlAddress::ControlAddress(ControlAddress&& other) noexcept
    : path_(std::move(other.path_)), directory_(std::exchange(other.directory_, -1)),
      name_(other.name_) {}

ControlAddress::~ControlAddress() {
    if (directory_ >= 0) {
        close(directory_);
    }
}

const sockaddr* ControlAddress::address() const {
    return reinterpret_cast<const sockaddr*>(&name_);
}

Result<std::optional<OperatorAnswer>> ask_server(const std::filesystem::path& directory,
                                                 const OperatorRequest& request) {
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(directory, ignored))) {
        return std::nullopt;
    }
    const ControlAddress address = TRY(ControlAddress::of(directory));
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return fail(ErrorCode::unavailable, "no socket: " + reason(errno));
    }
    const ControlConnection connection(descriptor);
    if (connect(descriptor, address.address(), address.size()) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) {
            return std::nullopt;
        }
        return fail(ErrorCode::unavailable,
                    "the server cannot be reached: " + address.path().string() + ": " +
                        reason(errno) + "; run this as root or as the server's user");
    }
    std::string line = encode(request);
    const bool sent = line.size() <= longest_operator_request && connection.send_all(line);
    wipe(line);
    const auto received = sent ? connection.receive_line() : std::nullopt;
    if (!received) {
        return fail(ErrorCode::unavailable,
                    "the server did not answer: " + address.path().string() +
                        "; look into its log, then try again");
    }
    OperatorAnswer answer = TRY(decode_answer(*received));
    return answer;
}

} // namespace claviger
