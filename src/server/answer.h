// SPDX-License-Identifier: Apache-2.0
// An answer as bytes: status line, standing headers, the answer's own, and the body.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"

namespace claviger {

struct AnswerFrame {
    std::string_view date;
    std::string_view request_id;
    bool close = false;
    bool http_1_0 = false;  // where keeping the connection must be said
    bool head_only = false; // the request was HEAD
};

void append_answer(std::string& out, const HttpResponse& response, const AnswerFrame& frame);

} // namespace claviger
