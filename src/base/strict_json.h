// SPDX-License-Identifier: Apache-2.0
// JSON from strangers: Boost.JSON behind the checks that it leaves out. It would keep the last of
// two equal members, read 1e400 as infinity, and take control characters in strings.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

#include "base/error.h"

namespace claviger {

struct StrictJsonLimits {
    std::size_t max_depth = 16;
    std::size_t max_members = 256;  // of one object
    bool fold_member_names = false; // names that differ in ASCII case are equal
};

/// The value of `text` in `memory`, or `invalid_request` with a fixed sentence.
Result<boost::json::value> parse_strict_json(std::string_view text, const StrictJsonLimits& limits,
                                             boost::json::storage_ptr memory = {});

} // namespace claviger
