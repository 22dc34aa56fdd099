// SPDX-License-Identifier: Apache-2.0
#include "auth/throttle.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "base/sharded_table.h"

namespace claviger {
namespace {

constexpr std::size_t slot_count = 65536; // 512 KiB
constexpr std::uint32_t most_failures = 100'000;

std::uint64_t random_seed() {
    std::array<std::uint8_t, 8> bytes{};
    SystemRandom{}.fill(bytes);
    std::uint64_t seed = 0;
    for (const std::uint8_t byte : bytes) {
        seed = seed << 8 | byte;
    }
    return seed;
}

} // namespace

Throttle::Throttle(const Clock& clock, ThrottleLimits limits)
    : clock_(clock), limits_(limits), seed_(random_seed()), slots_(slot_count) {}

std::size_t Throttle::slot_of(std::string_view name, std::string_view source) const {
    const std::uint64_t mixed = (hash_of(name) ^ seed_) * 0x9E3779B97F4A7C15ULL ^ hash_of(source);
    return hash_of(static_cast<std::int64_t>(mixed ^ seed_)) >> 32 & (slot_count - 1);
}

std::uint32_t Throttle::failures_in(const Slot& slot) const {
    const std::uint64_t packed = slot.load(std::memory_order_relaxed);
    const auto count = static_cast<std::uint32_t>(packed >> 44);
    const auto since = static_cast<std::int64_t>(packed & ((1ULL << 44) - 1));
    const std::int64_t elapsed = clock_.monotonic_milliseconds() - since;
    const std::int64_t forgiven = elapsed * limits_.per_minute / 60'000;
    return forgiven >= count ? 0 : count - static_cast<std::uint32_t>(forgiven);
}

void Throttle::add_failure(Slot& slot) {
    const std::uint32_t count = std::min(failures_in(slot) + 1, most_failures);
    const auto now = static_cast<std::uint64_t>(clock_.monotonic_milliseconds());
    slot.store(std::uint64_t{count} << 44 | (now & ((1ULL << 44) - 1)), std::memory_order_relaxed);
}

std::optional<std::int64_t> Throttle::wait_seconds(std::string_view name,
                                                   std::string_view source) const {
    const std::uint32_t own = failures_in(slots_[slot_of(name, source)]);
    const std::uint32_t of_source = failures_in(slots_[slot_of({}, source)]);
    std::uint32_t excess = own >= limits_.failures ? own - limits_.failures + 1 : 0;
    if (of_source >= limits_.source_failures) {
        excess = std::max(excess, of_source - limits_.source_failures + 1);
    }
    if (excess == 0) {
        return std::nullopt;
    }
    return std::int64_t{excess} * 60 / limits_.per_minute + 1;
}

void Throttle::record_failure(std::string_view name, std::string_view source) {
    add_failure(slots_[slot_of(name, source)]);
    add_failure(slots_[slot_of({}, source)]);
}

} // namespace claviger
