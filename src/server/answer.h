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

/// A body that streams is left out: its chunks follow, or to HTTP/1.0 its plain bytes until the
/// connection closes.
void append_answer(std::string& out, const HttpResponse& response, const AnswerFrame& frame);

/// An empty chunk is the end (RFC 9112 7.1).
void append_chunk(std::string& out, std::string_view chunk);

} // namespace claviger
