// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <pthread.h>
#include <stdexcept>
#include <sys/random.h>

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

/// Bytes bought in bulk.
struct Pool {
    std::array<std::uint8_t, 4096> bytes{};
    std::size_t used = sizeof(bytes);

    ~Pool() { drop(); }
    void drop() {
        ::explicit_bzero(bytes.data(), bytes.size());
        used = bytes.size();
    }
};

thread_local Pool pool;

/// A forked child has only the thread that forked, and must not hand out its parent's bytes.
[[maybe_unused]] const bool drops_at_fork = [] {
    if (::pthread_atfork(nullptr, nullptr, [] { pool.drop(); }) != 0) {
        throw std::runtime_error("pthread_atfork failed");
    }
    return true;
}();

} // namespace

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    if (bytes.size() > pool.bytes.size() / 4) {
        read_from_kernel(bytes);
        return;
    }
    if (pool.bytes.size() - pool.used < bytes.size()) {
        read_from_kernel(pool.bytes);
        pool.used = 0;
    }
    std::uint8_t* const from = pool.bytes.data() + pool.used;
    std::memcpy(bytes.data(), from, bytes.size());
    ::explicit_bzero(from, bytes.size());
    pool.used += bytes.size();
}

} // namespace claviger
