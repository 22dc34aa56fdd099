// SPDX-License-Identifier: Apache-2.0
#include "api/header_lines.h"

#include <algorithm>

#include "base/text.h"

namespace claviger {
namespace {

std::string_view trimmed(std::string_view value) {
    constexpr std::string_view blanks = " \t";
    value.remove_prefix(std::min(value.find_first_not_of(blanks), value.size()));
    return value.substr(0, value.find_last_not_of(blanks) + 1);
}

/// Takes a line off, without its CRLF. Admitted lines hold no other carriage return.
std::string_view take_line(std::string_view& lines) {
    const std::string_view line = lines.substr(0, lines.find('\r'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    return line;
}

/// The value of a line whose field has this name. Admitted names are tokens: the colon follows at
/// once.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
    const bool has_name = line.size() > name.size() && line[name.size()] == ':' &&
                          ascii_iequal(line.substr(0, name.size()), name);
    return has_name ? std::optional(trimmed(line.substr(name.size() + 1))) : std::nullopt;
}

} // namespace

std::vector<std::string_view> header_values(std::string_view lines, std::string_view name) {
    std::vector<std::string_view> values;
    while (!lines.empty()) {
        if (const auto value = value_of(take_line(lines), name)) {
            values.push_back(*value);
        }
    }
    return values;
}

std::optional<std::string_view> only_header_value(std::string_view lines, std::string_view name) {
    std::optional<std::string_view> value;
    only_header_values(lines, {&name, 1}, {&value, 1});
    return value;
}

void only_header_values(std::string_view lines, std::span<const std::string_view> names,
                        std::span<std::optional<std::string_view>> values) {
    std::uint64_t repeated = 0; // a bit for each name
    while (!lines.empty()) {
        const std::string_view line = take_line(lines);
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (const auto value = value_of(line, names[i])) {
                repeated |= values[i] ? std::uint64_t{1} << i : 0U;
                values[i] = value;
            }
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if ((repeated >> i & 1) != 0) {
            values[i].reset();
        }
    }
}

} // namespace claviger
