// SPDX-License-Identifier: Apache-2.0
// Chance for tests: the same at every run, and no secret to anyone.
#pragma once

#include <mutex>
#include <random>

#include "base/random.h"

namespace claviger {

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}

    void fill(std::span<std::uint8_t> bytes) override {
        const std::scoped_lock lock(mutex_);
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(engine_());
        }
    }

private:
    std::mutex mutex_;
    std::mt19937_64 engine_;
};

} // namespace claviger
