// SPDX-License-Identifier: Apache-2.0
// The asking end of the control socket, and where the socket lies.
#pragma once

#include <filesystem>
#include <optional>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "cli/operations.h"

namespace claviger {

/// The address of DIR/control.sock. A path beyond the limit of sun_path goes through the
/// directory's descriptor in /proc, which this keeps open.
class ControlAddress {
public:
    static Result<ControlAddress> of(const std::filesystem::path& directory);

    ControlAddress(ControlAddress&& other) noexcept;
    ControlAddress& operator=(ControlAddress&&) = delete;
    ~ControlAddress();

    const sockaddr* address() const;
    socklen_t size() const { return sizeof name_; }
    const std::filesystem::path& path() const { return path_; }

private:
    ControlAddress() = default;

    std::filesystem::path path_;
    int directory_ = -1;
    sockaddr_un name_{};
};

/// The server's answer, or nothing when no server runs on this directory. `unavailable` when one
/// runs and cannot be talked to. Waits as long as the server works on it.
Result<std::optional<OperatorAnswer>> ask_server(const std::filesystem::path& directory,
                                                 const OperatorRequest& request);

} // namespace claviger
