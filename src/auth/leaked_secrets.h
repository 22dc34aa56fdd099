// SPDX-License-Identifier: Apache-2.0
// Reports of client secrets that lie where they should not: in a repository, a log, a chat. Whoever
// has the secret may report it, without signing in: there is nothing worse that could be done with
// it. Guessing is throttled like guessing at the token endpoint.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/directory.h"
#include "auth/key_secrets.h"
#include "auth/origin.h"
#include "auth/throttle.h"
#include "auth/token_settings.h"

namespace claviger {

enum class LeakOutcome : std::uint8_t {
    unknown,  ///< No secret of this tenant, now or lately.
    retired,  ///< It was good once, and is not any more.
    revoked,  ///< It was good, and has ended with its tokens.
    frozen,   ///< Likewise, until somebody restores it.
    recorded, ///< It is still good.
};
std::string_view name_of(LeakOutcome outcome); // "revoked"

struct LeakReport {
    std::string_view client_secret;
    std::optional<std::string_view> client_id = {}; // saves the search; it may be wrong
    std::string_view found_at = {};                 // where, for the owner; may be empty
};
inline constexpr std::size_t longest_found_at = 300;

class LeakedSecrets {
public:
    LeakedSecrets(const TokenSettings& settings, const Pepper& pepper, KeySecrets& secrets,
                  const Clock& clock);

    /// What was done. `too_many_requests` sets the seconds to wait. Looks through all keys when no
    /// client id is given, and writes: call on a worker.
    Result<LeakOutcome> report(const TenantState& state, const LeakReport& report,
                               const Origin& origin, std::int64_t& retry_after_seconds);

    /// Reports of secrets that exist or existed.
    std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

private:
    struct Found {
        KeyName key;
        SecretMatch secret;
        bool is_honey = false;
    };
    /// Of the key with this client id, or of any.
    std::optional<Found> find(const TenantState& state, std::string_view secret,
                              std::optional<std::string_view> client_id) const;
    /// Whether all keys may be looked through now.
    bool take_turn();

    const TokenSettings& settings_;
    const Pepper& pepper_;
    KeySecrets& secrets_;
    const Clock& clock_;
    Throttle throttle_;
    std::atomic<std::int64_t> next_search_{0}; // monotonic milliseconds
    std::atomic<std::uint64_t> count_{0};
};

} // namespace claviger
