// SPDX-License-Identifier: Apache-2.0
// What a mistyped word was probably meant to be.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace claviger {

/// The nearest of `known` when it is near enough to be worth naming.
std::optional<std::string> suggest(std::string_view word, std::span<const std::string> known);

/// "did you mean X?", or `otherwise` when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::string otherwise);

} // namespace claviger
