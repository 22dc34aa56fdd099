// SPDX-License-Identifier: Apache-2.0
// The only source of chance. SystemRandom is getrandom(2) through a per-thread pool whose bytes are
// wiped as they are handed out and dropped at a fork; most fills make no system call. Tests use
// SeededRandom (base/seeded_random.h).
#pragma once

#include <cstdint>
#include <span>

namespace claviger {

class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override;
};

} // namespace claviger
