// SPDX-License-Identifier: Apache-2.0
#include "base/huge_pages.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <sys/mman.h>

#include "base/text.h"

namespace claviger {
namespace {

constexpr std::uint64_t page = 2 * 1024 * 1024;
constexpr std::uint64_t worth_it = 32 * page;

#ifndef MADV_COLLAPSE
constexpr int MADV_COLLAPSE = 25;
#endif

} // namespace

void move_heap_to_huge_pages() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (!line.ends_with("[heap]")) {
            continue;
        }
        const std::size_t dash = line.find('-');
        const auto first = parse_integer<std::uint64_t>(std::string_view(line).substr(0, dash), 16);
        const auto end =
            parse_integer<std::uint64_t>(line.substr(dash + 1, line.find(' ') - dash - 1), 16);
        if (!first || !end) {
            return;
        }
        const std::uint64_t begin = (*first + page - 1) / page * page;
        if (begin + worth_it <= *end) {
            void* const heap = reinterpret_cast<void*>(begin);
            const std::uint64_t size = (*end - begin) / page * page;
            ::madvise(heap, size, MADV_HUGEPAGE);
            ::madvise(heap, size, MADV_COLLAPSE);
        }
    }
}

} // namespace claviger
