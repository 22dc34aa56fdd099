// SPDX-License-Identifier: Apache-2.0
#include "api/header_lines.h"

#include <algorithm>

#include "base/text.h"

namespace claviger {

std::vector<std::string_view> header_values(std::string_view lines, std::string_view name) {
    constexpr std::string_view blanks = " \t";
    std::vector<std::string_view> values;
    while (!lines.empty()) {
        const std::size_t end = lines.find("\r\n");
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !ascii_iequal(line.substr(0, colon), name)) {
            continue;
        }
        std::string_view value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(blanks), value.size()));
        value = value.substr(0, value.find_last_not_of(blanks) + 1);
        values.push_back(value);
    }
    return values;
}

} // namespace claviger
