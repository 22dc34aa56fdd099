// SPDX-License-Identifier: Apache-2.0
// What would be said as often as somebody else likes is said once a minute.
#pragma once

#include <atomic>
#include <cstdint>

namespace claviger {

class NowAndThen {
public:
    /// Whether a minute has passed since it was true last. On any thread; of several that ask at
    /// once, one gets it.
    bool is_due(std::int64_t monotonic_milliseconds) {
        std::int64_t next = next_.load(std::memory_order_relaxed);
        return monotonic_milliseconds >= next &&
               next_.compare_exchange_strong(next, monotonic_milliseconds + minute);
    }

private:
    static constexpr std::int64_t minute = 60'000;
    std::atomic<std::int64_t> next_{0};
};

} // namespace claviger
