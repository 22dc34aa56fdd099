// SPDX-License-Identifier: Apache-2.0
#include "server/answer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace claviger {
namespace {

std::string_view reason_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 406:
        return "Not Acceptable";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Status";
    }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

void append_header(std::string& out, std::string_view name, std::size_t number) {
    std::array<char, 20> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    append_header(out, name, std::string_view(digits.data(), end));
}

/// A line break in a value must not become a header of its own.
std::string_view before_line_break(std::string_view value) {
    // Not find_first_of(), which calls a function for every byte.
    return value.substr(0, std::min(value.find('\r'), value.find('\n')));
}

bool append_own_headers(std::string& out, const HttpResponse& response) {
    bool has_cache_control = false;
    for (const auto& [name, value] : response.headers) {
        has_cache_control = has_cache_control || ascii_iequal(name, "Cache-Control");
        append_header(out, name, before_line_break(value));
    }
    return has_cache_control;
}

bool may_have_body(int status) {
    return status != 204 && status != 304;
}

} // namespace

void append_chunk(std::string& out, std::string_view chunk) {
    std::array<char, 16> digits{};
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), chunk.size(), 16);
    out.append(digits.data(), end).append("\r\n").append(chunk).append("\r\n");
}

void append_answer(std::string& out, const HttpResponse& response, const AnswerFrame& frame) {
    out.reserve(out.size() + 512 + response.body.size());
    out += "HTTP/1.1 ";
    out += std::to_string(response.status);
    out += ' ';
    out += reason_of(response.status);
    out += "\r\n";
    append_header(out, "Date", frame.date);
    append_header(out, "Content-Type", response.content_type);
    const bool has_own_body = !response.comes_in_pieces() && may_have_body(response.status);
    if (has_own_body) {
        append_header(out, "Content-Length", response.body.size());
    } else if (response.comes_in_pieces() && !frame.http_1_0) {
        append_header(out, "Transfer-Encoding", "chunked");
    }
    append_header(out, "X-Request-Id", frame.request_id);
    append_header(out, "X-Content-Type-Options", "nosniff");
    if (!append_own_headers(out, response)) {
        append_header(out, "Cache-Control", "no-store");
    }
    if (frame.close) {
        append_header(out, "Connection", "close");
    } else if (frame.http_1_0) {
        append_header(out, "Connection", "keep-alive");
    }
    out += "\r\n";
    if (!frame.head_only && has_own_body) {
        out += response.body;
    }
}

} // namespace claviger
