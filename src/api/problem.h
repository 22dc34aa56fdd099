// SPDX-License-Identifier: Apache-2.0
// The one table from error codes to HTTP, and the shapes that errors have on the wire.
#pragma once

#include <string_view>

#include "api/http.h"
#include "api/route.h"
#include "base/error.h"

namespace claviger {

/// The answer for an error. Internal details stay in the log; `request_id` is in every answer.
HttpResponse problem_response(const Error& error, ErrorStyle style, std::string_view request_id);

/// The status of the answer for an error.
int problem_status(ErrorCode code, ErrorStyle style = ErrorStyle::problem);

/// The answer for a bare status, in the contract's shape.
HttpResponse problem_response(int status, std::string_view detail, std::string_view request_id);

} // namespace claviger
