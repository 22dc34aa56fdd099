// SPDX-License-Identifier: Apache-2.0
// The published keys of the tenant as far as they are known here, and when to ask for them again:
// at the end of their time, for a key that nobody has seen yet (rarely, whoever asks), and when the
// feed says so. Keys that are known stay good for a day while the server is away.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>

#include "base/clock.h"
#include "jose/jwk.h"
#include "verifier/transport.h"

namespace claviger::offline {

class KeyStore {
public:
    /// `fetch` asks the server for the key set.
    KeyStore(std::function<Result<Answer>()> fetch, const Clock& clock);

    /// Among those that are known.
    std::optional<Jwk> find(std::string_view kid) const;
    /// Likewise, but asks the server for a key that is not, at most once in 30 seconds. Whoever
    /// comes meanwhile waits for the same answer.
    std::optional<Jwk> find_or_fetch(std::string_view kid);

    /// Asks the server now. On failure what is known stays.
    Result<void> load();
    /// Takes a key out for good, before the key set is asked for again.
    void burn(std::string_view kid);

    bool is_loaded() const;
    /// In how many milliseconds the key set should be asked for again; 0: now.
    std::int64_t due_in_milliseconds() const;

private:
    bool begin_fetch(std::string_view kid);
    Result<void> take(const Answer& answer);

    std::function<Result<Answer>()> fetch_;
    const Clock& clock_;

    mutable std::shared_mutex mutex_; // of what follows
    std::map<std::string, Jwk, std::less<>> keys_;
    std::set<std::string, std::less<>> burned_;
    std::int64_t loaded_at_ = 0; // monotonic milliseconds, as the next
    std::int64_t fresh_until_ = 0;
    bool is_loaded_ = false;

    std::mutex fetching_; // of what follows
    std::condition_variable fetched_;
    bool is_fetching_ = false;
    std::optional<std::int64_t> asked_at_;                    // for a key that was not known
    std::map<std::string, std::int64_t, std::less<>> absent_; // until when nobody asks for it
};

} // namespace claviger::offline
