// SPDX-License-Identifier: Apache-2.0
// Names and values from queries and forms (application/x-www-form-urlencoded): strict percent
// escapes, valid UTF-8, no control characters, at most 64 pairs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace claviger {

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// `invalid_request` for anything malformed. Repeated names are kept; callers judge them.
Result<Parameters> parse_parameters(std::string_view text);

/// A path segment without its percent escapes; `invalid_request` when malformed.
Result<std::string> decode_segment(std::string_view segment);

/// Form encoding undone (RFC 6749 2.3.1, Appendix B): '+' is a space.
Result<std::string> decode_form_text(std::string_view text);

} // namespace claviger
