// SPDX-License-Identifier: Apache-2.0
// Answers of the API as people read them: tables, and one member a line.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace claviger {

struct Column {
    std::string_view member; // of the JSON object
    std::string_view title;
};

/// One line an element, below the titles; `if_none` when there is nothing to list.
void print_table(std::ostream& out, const boost::json::value* items,
                 std::span<const Column> columns, std::string_view if_none);

/// One line a member that is there and not null, with the titles beside them.
void print_members(std::ostream& out, const boost::json::value& object,
                   std::span<const Column> members);

/// A member of an object, or nullptr.
const boost::json::value* member(const boost::json::value& value, std::string_view name);

/// A value without quotes; "-" for none; what is no scalar as JSON.
std::string shown(const boost::json::value* value);

} // namespace claviger
