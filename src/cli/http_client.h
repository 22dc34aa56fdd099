// SPDX-License-Identifier: Apache-2.0
// One HTTP request and its answer, within limits of time and size. The only user of libcurl. It
// follows no redirect, reads no .netrc, and verifies certificates always.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "api/http.h"
#include "base/error.h"

namespace claviger {

/// A server's address without its last slash. Plain HTTP is taken for this machine's own addresses
/// only, unless `allows_http`: the request carries a secret.
Result<std::string> server_address(const std::string& text, bool allows_http);

/// A segment of a path, or a name or value of a query or form: all but unreserved characters
/// escaped (RFC 3986 2.3).
std::string percent_encoded(std::string_view text);

struct ClientLimits {
    std::filesystem::path ca_file; // the only one that is trusted; empty: the system's
    long timeout_seconds = 30;     // of a whole exchange
    std::size_t largest_answer = std::size_t{64} * 1024 * 1024;
};

struct ClientRequest {
    HttpMethod method = HttpMethod::get;
    std::string url;
    std::string_view content_type; // of the body; empty: there is none
    std::string_view body;
    std::string_view bearer; // the token, or empty
};

struct ClientAnswer {
    int status = 0;
    std::string request_id; // as the server names it
    std::string body;
};

/// Any answer is one; `unavailable` when there is none, with the reason.
Result<ClientAnswer> send_request(const ClientRequest& request, const ClientLimits& limits);

} // namespace claviger
