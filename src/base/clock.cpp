// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctime>

namespace claviger {
namespace {

std::int64_t read_nanoseconds(clockid_t clock) {
    timespec value{};
    ::clock_gettime(clock, &value);
    return static_cast<std::int64_t>(value.tv_sec) * 1'000'000'000 + value.tv_nsec;
}

} // namespace

Timestamp SystemClock::now() const {
    return Timestamp{read_nanoseconds(CLOCK_REALTIME) / 1000};
}

std::int64_t SystemClock::monotonic_milliseconds() const {
    return read_nanoseconds(CLOCK_MONOTONIC) / 1'000'000;
}

} // namespace claviger
