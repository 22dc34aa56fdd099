// SPDX-License-Identifier: Apache-2.0
#include "base/huge_pages.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace claviger {
namespace {

TEST(HugePages, LeaveTheHeapAsItIs) {
    constexpr std::size_t many = 200'000; // some 100 MiB in pieces that brk(2) gives
    std::vector<std::string> texts;
    texts.reserve(many);
    for (std::size_t i = 0; i < many; ++i) {
        texts.emplace_back(500, static_cast<char>('a' + i % 26));
    }
    move_heap_to_huge_pages();
    for (std::size_t i = 0; i < many; ++i) {
        ASSERT_EQ(texts[i], std::string(500, static_cast<char>('a' + i % 26))) << i;
    }
    texts.resize(many / 2);
    texts.shrink_to_fit();
    move_heap_to_huge_pages(); // with holes
    EXPECT_EQ(texts.back(), std::string(500, static_cast<char>('a' + (many / 2 - 1) % 26)));
}

} // namespace
} // namespace claviger
