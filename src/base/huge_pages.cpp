// SPDX-License-Identifier: Apache-2.0
#include "base/huge_pages.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

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
    char* const end = static_cast<char*>(::sbrk(0));
    const auto end_number = reinterpret_cast<std::uintptr_t>(end);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (!line.ends_with("[heap]")) {
            continue;
        }
        const auto first =
            parse_integer<std::uint64_t>(std::string_view(line).substr(0, line.find('-')), 16);
        const std::uint64_t begin = (first.value_or(end_number) + page - 1) / page * page;
        if (begin + worth_it <= end_number) {
            char* const heap = end - (end_number - begin);
            const std::uint64_t size = (end_number - begin) / page * page;
            ::madvise(heap, size, MADV_HUGEPAGE);
            ::madvise(heap, size, MADV_COLLAPSE);
        }
    }
}

} // namespace claviger
