// SPDX-License-Identifier: Apache-2.0
// The only way to learn the time. Tests use FakeClock and move it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace claviger {

class Clock {
public:
    virtual ~Clock() = default;
    /// Wall-clock time (UTC).
    virtual Timestamp now() const = 0;
    /// Milliseconds that never run backwards, for deadlines and throttles.
    virtual std::int64_t monotonic_milliseconds() const = 0;
};

class SystemClock final : public Clock {
public:
    Timestamp now() const override;
    std::int64_t monotonic_milliseconds() const override;
};

class FakeClock final : public Clock {
public:
    explicit FakeClock(Timestamp start = Timestamp::from_seconds(1'800'000'000))
        : microseconds_(start.microseconds) {}
    Timestamp now() const override { return Timestamp{microseconds_.load()}; }
    std::int64_t monotonic_milliseconds() const override { return microseconds_.load() / 1000; }
    void advance_seconds(std::int64_t seconds) { microseconds_ += seconds * 1'000'000; }
    void set(Timestamp at) { microseconds_ = at.microseconds; }

private:
    std::atomic<std::int64_t> microseconds_;
};

} // namespace claviger
