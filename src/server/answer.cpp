// SPDX-License-Identifier: Apache-2.0
#include "server/answer.h"

#include <algorithm>

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
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
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

} // namespace

void append_answer(std::string& out, const HttpResponse& response, const AnswerFrame& frame) {
    out.reserve(out.size() + 512 + response.body.size());
    out += "HTTP/1.1 ";
    out += std::to_string(response.status);
    out += ' ';
    out += reason_of(response.status);
    out += "\r\n";
    append_header(out, "Date", frame.date);
    append_header(out, "Content-Type", response.content_type);
    if (response.status != 204) {
        append_header(out, "Content-Length", std::to_string(response.body.size()));
    }
    append_header(out, "X-Request-Id", frame.request_id);
    append_header(out, "X-Content-Type-Options", "nosniff");
    bool has_cache_control = false;
    for (const auto& [name, value] : response.headers) {
        has_cache_control = has_cache_control || ascii_iequal(name, "Cache-Control");
        append_header(out, name, value);
    }
    if (!has_cache_control) {
        append_header(out, "Cache-Control", "no-store");
    }
    if (frame.close) {
        append_header(out, "Connection", "close");
    }
    out += "\r\n";
    if (!frame.head_only && response.status != 204) {
        out += response.body;
    }
}

} // namespace claviger
