// SPDX-License-Identifier: Apache-2.0
#include "cli/api_output.h"

#include <algorithm>
#include <ostream>
#include <vector>

#include <boost/json/serialize.hpp>

#include "cli/api_session.h"

namespace claviger {
namespace {

constexpr std::size_t gap = 2; // spaces between columns

/// Characters of UTF-8, which is near enough to columns of a terminal.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

using Line = std::vector<std::string>;

void print_lines(std::ostream& out, const std::vector<Line>& lines) {
    std::vector<std::size_t> widths(lines.front().size());
    for (const Line& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            widths[i] = std::max(widths[i], width(line[i]));
        }
    }
    for (const Line& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            const bool is_last = i + 1 == line.size();
            out << line[i] << std::string(is_last ? 0 : widths[i] - width(line[i]) + gap, ' ');
        }
        out << '\n';
    }
}

} // namespace

const boost::json::value* member(const boost::json::value& value, std::string_view name) {
    const boost::json::object* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string shown(const boost::json::value* value) {
    if (value == nullptr || value->is_null()) {
        return "-";
    }
    if (const boost::json::string* text = value->if_string()) {
        return printable(std::string_view(*text));
    }
    return printable(boost::json::serialize(*value));
}

void print_table(std::ostream& out, const boost::json::value* items,
                 std::span<const Column> columns, std::string_view if_none) {
    const boost::json::array* array = items == nullptr ? nullptr : items->if_array();
    if (array == nullptr || array->empty()) {
        out << if_none << '\n';
        return;
    }
    std::vector<Line> lines(1);
    for (const Column& column : columns) {
        lines.front().emplace_back(column.title);
    }
    for (const boost::json::value& item : *array) {
        Line& line = lines.emplace_back();
        for (const Column& column : columns) {
            line.push_back(shown(member(item, column.member)));
        }
    }
    print_lines(out, lines);
}

void print_members(std::ostream& out, const boost::json::value& object,
                   std::span<const Column> members) {
    std::vector<Line> lines;
    for (const Column& column : members) {
        const boost::json::value* value = member(object, column.member);
        if (value != nullptr && !value->is_null()) {
            lines.push_back({std::string(column.title), shown(value)});
        }
    }
    if (!lines.empty()) {
        print_lines(out, lines);
    }
}

} // namespace claviger
