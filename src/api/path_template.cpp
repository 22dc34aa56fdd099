// SPDX-License-Identifier: Apache-2.0
#include "api/path_template.h"

namespace claviger {

std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.starts_with('{') &&
           segment.find_first_of("{}", 1) == segment.size() - 1 && segment.ends_with('}');
}

std::string_view parameter_name(std::string_view segment) {
    return segment.substr(1, segment.size() - 2);
}

void skip_fixed_segments(std::string_view& pattern, std::string_view& path) {
    const std::size_t last = pattern.substr(0, pattern.find('{')).rfind('/');
    if (last != std::string_view::npos) {
        pattern.remove_prefix(last);
        path.remove_prefix(last);
    }
}

bool fits(std::string_view pattern, std::string_view path) {
    if (!path.starts_with(pattern.substr(0, pattern.find('{')))) {
        return false;
    }
    skip_fixed_segments(pattern, path);
    while (!pattern.empty() && !path.empty()) {
        const std::string_view expected = take_segment(pattern);
        const std::string_view actual = take_segment(path);
        if (is_parameter(expected) ? actual.empty() : actual != expected) {
            return false;
        }
    }
    return pattern.empty() && path.empty();
}

} // namespace claviger
