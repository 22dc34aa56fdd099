// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <sys/random.h>
#include <unistd.h>

namespace claviger {
namespace {

void read_from_kernel(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            throw std::runtime_error("getrandom failed");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

/// Bytes bought in bulk. A forked child must not hand out its parent's bytes, hence the pid.
struct Pool {
    std::array<std::uint8_t, 4096> bytes{};
    std::size_t used = sizeof(bytes);
    pid_t owner = 0;
    ~Pool() { ::explicit_bzero(bytes.data(), bytes.size()); }
};

} // namespace

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    static thread_local Pool pool;
    if (bytes.size() > pool.bytes.size() / 4) {
        read_from_kernel(bytes);
        return;
    }
    const pid_t self = ::getpid();
    if (pool.owner != self || pool.bytes.size() - pool.used < bytes.size()) {
        read_from_kernel(pool.bytes);
        pool.used = 0;
        pool.owner = self;
    }
    std::uint8_t* const from = pool.bytes.data() + pool.used;
    std::memcpy(bytes.data(), from, bytes.size());
    ::explicit_bzero(from, bytes.size());
    pool.used += bytes.size();
}

void SeededRandom::fill(std::span<std::uint8_t> bytes) {
    const std::scoped_lock lock(mutex_);
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(engine_());
    }
}

} // namespace claviger
