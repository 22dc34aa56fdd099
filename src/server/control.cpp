// SPDX-License-Identifier: Apache-2.0
#include "server/control.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <limits>
#include <span>
#include <system_error>

#include "base/clock.h"
#include "base/secret.h"
#include "cli/operator_messages.h"

namespace claviger {
namespace {

constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();

std::int64_t now_milliseconds() {
    return SystemClock().monotonic_milliseconds();
}

std::unexpected<Error> fail_with_reason(const std::string& what) {
    return fail(ErrorCode::unavailable, what + ": " + std::generic_category().message(errno));
}

OperatorAnswer refusal(std::string line) {
    return {false, {std::move(line)}};
}

/// False when the deadline has come first.
bool wait(std::span<pollfd> watched, std::int64_t deadline) {
    for (;;) {
        const std::int64_t left = deadline == for_ever
                                      ? -1
                                      : std::clamp<std::int64_t>(deadline - now_milliseconds(), 0,
                                                                 std::numeric_limits<int>::max());
        const int count = poll(watched.data(), watched.size(), static_cast<int>(left));
        if (count >= 0 || errno != EINTR) {
            return count > 0;
        }
    }
}

std::optional<uid_t> peer_of(int connection) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return std::nullopt;
    }
    return credentials.uid;
}

} // namespace

ControlSocket::Descriptor::~Descriptor() {
    if (number_ >= 0) {
        close(number_);
    }
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::start(const std::filesystem::path& directory,
                                                            Handler handler, Log& log,
                                                            std::int64_t deadline_milliseconds) {
    ControlAddress address = TRY(ControlAddress::of(directory));
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::unique_ptr<ControlSocket> control(new ControlSocket(
        std::move(address), listener, stop, std::move(handler), log, deadline_milliseconds));
    if (listener < 0 || stop < 0) {
        return fail_with_reason("no descriptor for the control socket");
    }
    TRY(control->bind_and_listen());
    for (std::size_t i = 0; i < threads; ++i) {
        control->threads_.emplace_back([raw = control.get()] { raw->run(); });
    }
    return control;
}

ControlSocket::ControlSocket(ControlAddress address, int listener, int stop, Handler handler,
                             Log& log, std::int64_t deadline_milliseconds)
    : address_(std::move(address)), listener_(listener), stop_(stop), handler_(std::move(handler)),
      log_(log), deadline_milliseconds_(deadline_milliseconds) {}

ControlSocket::~ControlSocket() {
    if (threads_.empty()) {
        return; // it never listened
    }
    eventfd_write(stop_.number(), 1);
    for (std::thread& thread : threads_) {
        thread.join();
    }
    unlink(address_.path().c_str());
}

Result<void> ControlSocket::bind_and_listen() {
    const std::string path = address_.path().string();
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
        unlink(path.c_str());
    }
    // The socket takes its mode along when it gets its name: it is never open to others.
    if (fchmod(listener_.number(), 0600) != 0 ||
        bind(listener_.number(), address_.address(), address_.size()) != 0) {
        return fail_with_reason("the control socket " + path + " cannot be made");
    }
    if (listen(listener_.number(), 8) != 0) {
        return fail_with_reason("nothing can listen at the control socket " + path);
    }
    return {};
}

void ControlSocket::run() {
    while (wait_for_input(listener_.number(), for_ever)) {
        const Descriptor connection(
            accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (connection.number() >= 0) {
            std::string text = encode(answer(connection.number()));
            send_all(connection.number(), text);
            wipe(text); // may hold a generated password
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            // The connection stays in the queue: poll would return at once, again and again.
            log_.write(LogLevel::warning, "no descriptor for a connection to the control socket");
            wait_for_input(-1, now_milliseconds() + 1'000);
        }
    }
}

OperatorAnswer ControlSocket::answer(int connection) {
    const auto peer = peer_of(connection);
    if (!peer || !may_control(*peer, geteuid())) {
        log_.write(LogLevel::warning, "refused a peer at the control socket",
                   {{"uid", peer ? static_cast<std::int64_t>(*peer) : -1}});
        return refusal("only root and the server's own user may give commands");
    }
    auto line = receive_line(connection);
    if (!line) {
        return refusal(line.error().detail());
    }
    const auto request = decode_request(*line);
    wipe(*line);
    if (!request) {
        return refusal(request.error().detail());
    }
    log_.write(LogLevel::info, "operator command",
               {{"command", std::string_view(request->command)}});
    try {
        return handler_(*request);
    } catch (const std::exception& error) {
        log_.write(LogLevel::error, "an operator command failed",
                   {{"reason", std::string_view(error.what())}});
        return refusal("the command failed inside the server; look into its log");
    }
}

bool ControlSocket::wait_for_input(int descriptor, std::int64_t deadline) const {
    std::array<pollfd, 2> watched{{{stop_.number(), POLLIN, 0}, {descriptor, POLLIN, 0}}};
    return wait(watched, deadline) && watched[0].revents == 0;
}

Result<std::string> ControlSocket::receive_line(int connection) const {
    const std::int64_t deadline = now_milliseconds() + deadline_milliseconds_;
    std::array<char, 4096> block{};
    std::string text;
    text.reserve(longest_operator_request + block.size()); // no copies of a password on the way
    while (wait_for_input(connection, deadline)) {
        const ssize_t count = recv(connection, block.data(), block.size(), 0);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (count <= 0) {
            return fail(ErrorCode::invalid_request, "the request ended before its line did");
        }
        text.append(block.data(), static_cast<std::size_t>(count));
        wipe({reinterpret_cast<std::uint8_t*>(block.data()), block.size()});
        if (text.size() > longest_operator_request) {
            return fail(ErrorCode::too_large, "the request is over 64 KiB");
        }
        if (const std::size_t end = text.find('\n'); end != std::string::npos) {
            text.resize(end);
            return text;
        }
    }
    return fail(ErrorCode::unavailable, "the request took too long");
}

void ControlSocket::send_all(int connection, std::string_view text) const {
    const std::int64_t deadline = now_milliseconds() + deadline_milliseconds_;
    std::array<pollfd, 1> watched{{{connection, POLLOUT, 0}}};
    while (!text.empty() && wait(watched, deadline)) {
        const ssize_t count = send(connection, text.data(), text.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return; // the peer has gone
        }
        text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
}

} // namespace claviger
