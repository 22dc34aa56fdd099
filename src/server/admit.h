// SPDX-License-Identifier: Apache-2.0
// What may come in. Boost.Beast alone accepts messages that another reader of the same bytes would
// split differently, so every request head passes these rules first (RFC 9110, RFC 9112): what is
// not canonical is refused, never cleaned up, and the connection is closed.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"

namespace claviger {

inline constexpr std::size_t longest_head = 8 * 1024; // bytes, request line included
inline constexpr std::size_t most_header_lines = 64;

/// Why a head was refused: a status and a fixed sentence. The connection closes after it.
struct HttpRefusal {
    int status = 400;
    std::string_view detail;
};

/// A request head that has passed every rule. The views point into the head's bytes.
struct AdmittedHead {
    std::size_t size = 0; // in bytes, with the empty line
    HttpMethod method = HttpMethod::get;
    bool http_1_0 = false;
    std::string_view path;
    std::string_view query;
    std::string host; // lower case, without the port; empty when HTTP/1.0 names none
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> content_type;
    std::optional<std::string_view> accept;
    std::optional<std::string_view> last_event_id;
    std::string_view user_agent;
    std::string_view header_lines; // each with its CRLF
    std::string forwarded_for;     // all X-Forwarded-For lines as one list
    std::uint64_t content_length = 0;
    bool chunked = false;
    bool expects_continue = false;
    bool close = false; // the client asked for it, or speaks HTTP/1.0 without keep-alive
};

/// How far a head has come in.
struct HeadScan {
    std::size_t scanned = 0;   // bytes that need not be looked at again
    std::size_t head_size = 0; // including the empty line; 0: not all of it is there
    bool malformed = false;    // a line ends in a bare LF: this will never be a head
};

/// Looks for the end of the head in `bytes`, of which `scanned` have been looked at before.
HeadScan scan_head(std::string_view bytes, std::size_t scanned);

/// `head` is everything up to and including the empty line.
std::expected<AdmittedHead, HttpRefusal> admit(std::string_view head);

/// Takes over what the head says, into the memory that the request has.
void take_head(const AdmittedHead& head, HttpRequest& request);

} // namespace claviger
