// SPDX-License-Identifier: Apache-2.0
// Human passwords: the rules for new ones, and hashing on a pool of its own (one at a time, a short
// queue), so that sign-ins can never starve tokens and decisions.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/client_secret.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "jose/password_hash.h"

namespace claviger {

inline constexpr std::size_t shortest_password = 15;  // characters (NIST SP 800-63B-4 3.1.1.2)
inline constexpr std::size_t longest_password = 1024; // bytes

/// Refuses passwords that are too short, too long, or easy to guess: made of common words, runs of
/// the keyboard or of one character, or of `context` (the e-mail, the tenant's name, the product).
Result<void> check_new_password(std::string_view password, const std::vector<std::string>& context);

/// Whether two passwords are the same once they are read as text.
Result<bool> is_same_password(std::string_view a, std::string_view b);

/// A random password of 100 bits in five groups, to be shown once.
Secret generate_password(Random& random);

class Passwords {
public:
    Passwords(const Pepper& pepper, Argon2Parameters parameters, Random& random, Clock& clock);

    /// The PHC string to store. Blocks; `too_many_requests` when the queue is full.
    Result<std::string> hash(std::string_view password);
    /// Costs the same for an empty `phc`, which stands for an unknown user and never matches.
    Result<bool> verify(std::string_view phc, std::string_view password);
    /// Whether hash() would make a stronger one.
    bool is_outdated(std::string_view phc) const { return argon2_.is_outdated(phc); }
    /// Gives the memory back when nothing was hashed for 30 s. Call now and then.
    void release_idle_memory();

private:
    class Turn;
    const Pepper& pepper_;
    Random& random_;
    Clock& clock_;
    Argon2 argon2_;
    std::string decoy_; // the hash that an unknown user is checked against
    std::mutex mutex_;
    std::condition_variable free_;
    bool busy_ = false;
    unsigned waiting_ = 0;
    std::int64_t last_use_milliseconds_ = 0;
};

} // namespace claviger
