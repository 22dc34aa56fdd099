// SPDX-License-Identifier: Apache-2.0
// The answering end of DIR/control.sock, by which operators reach a running server. A few threads
// take one connection each at a time, so that a backup does not hold up the other commands: one
// line of JSON in, one out, within a deadline. Only root and the server's own user may ask: the
// file's mode says so, and the kernel's word on the peer again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/control_client.h"
#include "cli/operations.h"

namespace claviger {

/// Whether a peer may give commands to a server that runs as `own`.
constexpr bool may_control(uid_t peer, uid_t own) {
    return peer == 0 || peer == own;
}

class ControlSocket {
public:
    /// Runs on the socket's threads, several calls at a time.
    using Handler = std::function<OperatorAnswer(const OperatorRequest&)>;

    static constexpr std::int64_t request_deadline_milliseconds = 5'000;
    static constexpr std::size_t threads = 4; // two for commands that take long, two for the rest

    /// The caller holds the lock of `directory`, so an old socket there is stale and is removed.
    /// `log` outlives the socket.
    static Result<std::unique_ptr<ControlSocket>>
    start(const std::filesystem::path& directory, Handler handler, Log& log,
          std::int64_t deadline_milliseconds = request_deadline_milliseconds);

    /// Ends the threads, after the commands that they may be running, and removes the socket.
    ~ControlSocket();

private:
    class Descriptor {
    public:
        explicit Descriptor(int number) : number_(number) {}
        Descriptor(const Descriptor&) = delete;
        Descriptor& operator=(const Descriptor&) = delete;
        ~Descriptor();
        int number() const { return number_; }

    private:
        int number_;
    };

    ControlSocket(ControlAddress address, int listener, int stop, Handler handler, Log& log,
                  std::int64_t deadline_milliseconds);
    Result<void> bind_and_listen();
    void run();
    OperatorAnswer answer(int connection);
    /// False when the deadline has come or the server stops.
    bool wait_for_input(int descriptor, std::int64_t deadline) const;
    Result<std::string> receive_line(int connection) const;
    /// Goes on while the server stops: the command has been run.
    void send_all(int connection, std::string_view text) const;

    ControlAddress address_;
    Descriptor listener_;
    Descriptor stop_; // an eventfd, readable once the server stops
    Handler handler_;
    Log& log_;
    std::int64_t deadline_milliseconds_;
    std::vector<std::thread> threads_;
};

} // namespace claviger
