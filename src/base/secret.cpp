// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <cstring>

namespace claviger {

void wipe(std::span<std::uint8_t> bytes) {
    ::explicit_bzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

bool constant_time_equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    if (a.size() != b.size()) {
        return false;
    }
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
        asm volatile("" : "+r"(difference)); // keeps the loop from ending early
    }
    return difference == 0;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    const auto bytes = [](std::string_view text) {
        return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    };
    return constant_time_equal(bytes(a), bytes(b));
}

} // namespace claviger
