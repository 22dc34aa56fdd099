// SPDX-License-Identifier: Apache-2.0
// Argon2id (RFC 9106) for human passwords, in an arena that is faulted in once and given back when
// idle. One hash at a time: callers queue in auth/password_pool.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/error.h"
#include "base/random.h"

namespace claviger {

struct Argon2Parameters {
    std::uint32_t memory_kib = 19 * 1024;
    std::uint32_t passes = 2;
};

class Argon2 {
public:
    explicit Argon2(Argon2Parameters parameters);
    ~Argon2();
    Argon2(const Argon2&) = delete;
    Argon2& operator=(const Argon2&) = delete;

    /// A PHC string "$argon2id$v=19$m=..,t=..,p=1$salt$hash" of `keyed_password` (already HMACed
    /// with the pepper by the caller), with a fresh 16-byte salt.
    Result<std::string> hash(std::span<const std::uint8_t> keyed_password, Random& random);
    /// False for a wrong password; an Error for an unreadable hash. Constant-time comparison.
    Result<bool> verify(std::string_view phc, std::span<const std::uint8_t> keyed_password);
    /// Whether the hash was made with less work than hash() takes now.
    bool is_outdated(std::string_view phc) const;
    /// Gives the arena back to the system; the next call faults it in again.
    void release_memory();

private:
    Result<Bytes> compute(const Argon2Parameters& parameters, std::span<std::uint8_t> salt,
                          std::span<const std::uint8_t> password);
    Argon2Parameters parameters_;
    void* arena_ = nullptr;
    std::size_t arena_size_ = 0;
};

} // namespace claviger
