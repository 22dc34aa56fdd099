// SPDX-License-Identifier: Apache-2.0
// Slows guessing down. Failures are counted per (name, source) and per source, never per name
// alone, so that a stranger cannot lock anybody out. Bounded memory: a fixed table of slots; a slot
// that two pairs share can only make the throttle stricter for as long as its failures last.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace claviger {

struct ThrottleLimits {
    std::uint32_t failures = 20;         // free failures of one (name, source)
    std::uint32_t source_failures = 200; // free failures of one source, over all names
    std::uint32_t per_minute = 30;       // how many are forgiven a minute
};

class Throttle {
public:
    Throttle(const Clock& clock, ThrottleLimits limits);

    /// Seconds to wait before the next failure would be answered normally; nothing when free.
    std::optional<std::int64_t> wait_seconds(std::string_view name, std::string_view source) const;
    void record_failure(std::string_view name, std::string_view source);

private:
    /// The failures not yet forgiven at `since` (milliseconds), packed so that it changes at once.
    using Slot = std::atomic<std::uint64_t>;
    std::size_t slot_of(std::string_view name, std::string_view source) const;
    std::uint32_t failures_in(const Slot& slot) const;
    void add_failure(Slot& slot);

    const Clock& clock_;
    ThrottleLimits limits_;
    std::uint64_t seed_; // so that nobody can compute who shares a slot with whom
    std::vector<Slot> slots_;
};

} // namespace claviger
