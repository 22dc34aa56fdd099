// SPDX-License-Identifier: Apache-2.0
#include "cli/suggestion.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace claviger {
namespace {

/// Insertions, deletions and replacements between the two (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::optional<std::string> suggest(std::string_view word, std::span<const std::string> known) {
    constexpr std::size_t longest_word = 64;
    if (word.size() > longest_word) {
        return std::nullopt;
    }
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : known) {
        const std::size_t steps = distance(word, candidate);
        if (steps < best_distance) {
            best = candidate;
            best_distance = steps;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::string otherwise) {
    const std::optional<std::string> guess = suggest(word, known);
    return guess ? "did you mean \"" + *guess + "\"?" : std::move(otherwise);
}

} // namespace claviger
