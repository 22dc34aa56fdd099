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
#include "cli/server_address.h"

namespace claviger {

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
