// SPDX-License-Identifier: Apache-2.0
// The only source of chance. SystemRandom is getrandom(2) through a per-thread pool whose bytes are
// wiped as they are handed out and dropped at a fork; most fills make no system call. Tests use
// SeededRandom, which is no secret to anyone.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
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

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::uint8_t> bytes) override;

private:
    std::mutex mutex_;
    std::mt19937_64 engine_;
};

} // namespace claviger
