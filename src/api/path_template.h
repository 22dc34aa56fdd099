// SPDX-License-Identifier: Apache-2.0
// Path templates, "/projects/{projectId}": of our own operations and of the route map.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "api/parameters.h"
#include "base/error.h"

namespace claviger {

/// Takes "/segment" from the front of a path.
std::string_view take_segment(std::string_view& path);

/// "{name}" stands for any segment that is not empty.
bool is_parameter(std::string_view segment);
std::string_view parameter_name(std::string_view segment);

bool fits(std::string_view pattern, std::string_view path);

/// Takes the segments before the first parameter from a pattern and from a path that begins like
/// it.
void skip_fixed_segments(std::string_view& pattern, std::string_view& path);

/// Adds the decoded parameters of a path that fits; `invalid_request` when one is malformed.
template <class Parameters>
Result<void> read_path(std::string_view pattern, std::string_view path, Parameters& parameters) {
    skip_fixed_segments(pattern, path);
    while (!pattern.empty()) {
        const std::string_view name = take_segment(pattern);
        const std::string_view segment = take_segment(path);
        if (is_parameter(name)) {
            std::string value = TRY(decode_segment(segment));
            parameters.emplace_back(parameter_name(name), std::move(value));
        }
    }
    return {};
}

} // namespace claviger
