// SPDX-License-Identifier: Apache-2.0
// The grounds of decisions and refusals as people read them.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "cli/api_output.h"

namespace claviger {

/// "project 12 (acme/west/vision)".
std::string scope_text(const boost::json::value& scope);

/// The elements of an array in one line.
std::string joined(const boost::json::value* items,
                   std::string (*text_of_item)(const boost::json::value&),
                   std::string_view between);
std::string plain(const boost::json::value& item);

/// The smallest access rules that would be enough; nothing when there are none.
void print_grants(std::ostream& out, const boost::json::value* grants);

/// Lines in their order, each a title and a text; those without a text are left out.
class Lines {
public:
    void add(std::string_view title, std::string_view text);
    void print(std::ostream& out) &&;

private:
    std::vector<Column> columns_;
    boost::json::object texts_;
};

} // namespace claviger
