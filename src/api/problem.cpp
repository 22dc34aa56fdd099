// SPDX-License-Identifier: Apache-2.0
#include "api/problem.h"

#include <array>

#include "api/json_writer.h"

namespace claviger {
namespace {

struct Entry {
    ErrorCode code;
    int problem;       // status in the contract's shape
    int oauth;         // status in the shape of RFC 6749
    const char* error; // its error code there
    const char* message;
};

constexpr std::array<Entry, 17> table{{
    {ErrorCode::invalid_request, 400, 400, "invalid_request", "The request is malformed."},
    {ErrorCode::invalid_client, 400, 401, "invalid_client", "The credentials are wrong."},
    {ErrorCode::invalid_grant, 400, 400, "invalid_grant", "The credentials are wrong."},
    {ErrorCode::unauthorized_client, 400, 400, "unauthorized_client",
     "This client may not use this grant."},
    {ErrorCode::unsupported_grant_type, 400, 400, "unsupported_grant_type",
     "The grant type is not supported."},
    {ErrorCode::invalid_scope, 400, 400, "invalid_scope", "The scope is not known here."},
    {ErrorCode::invalid_target, 400, 400, "invalid_target", "The resource is not registered."},
    {ErrorCode::unauthenticated, 401, 401, "invalid_client", "A valid bearer token is needed."},
    {ErrorCode::access_denied, 403, 403, "unauthorized_client",
     "You do not have sufficient permissions."},
    {ErrorCode::not_found, 404, 404, "invalid_request", "Resource id not found."},
    {ErrorCode::gone, 410, 410, "invalid_request", "This is kept no longer."},
    {ErrorCode::conflict, 409, 409, "invalid_request", "The resource already exists."},
    {ErrorCode::too_many_requests, 429, 429, "temporarily_unavailable", "Too many requests."},
    {ErrorCode::too_large, 413, 413, "invalid_request", "The request is too large."},
    {ErrorCode::unsupported_media_type, 415, 415, "invalid_request",
     "The content type is not supported."},
    {ErrorCode::unavailable, 503, 503, "temporarily_unavailable", "Please try again later."},
    {ErrorCode::internal, 500, 500, "server_error", "Something went wrong."},
}};

const Entry& entry_of(ErrorCode code) {
    for (const Entry& entry : table) {
        if (entry.code == code) {
            return entry;
        }
    }
    return table.back();
}

std::string problem_body(int status, std::string_view message, std::string_view detail,
                         std::string_view request_id) {
    std::string body;
    JsonWriter out(body);
    out.begin_object();
    out.name("code");
    out.value(std::int64_t{status});
    out.name("message");
    out.value(message);
    out.name("details");
    std::string details(detail);
    details += details.empty() ? "request id " : "; request id ";
    details += request_id;
    out.value(std::string_view(details));
    out.end_object();
    return body;
}

/// RFC 6749 5.2: descriptions are printable ASCII without '"' and '\'.
std::string oauth_body(const Entry& entry, std::string_view detail, std::string_view request_id) {
    std::string description;
    for (const char c : detail) {
        description += c >= 0x20 && c < 0x7F && c != '"' && c != '\\' ? c : '\'';
    }
    description += " (request id " + std::string(request_id) + ")";
    std::string body;
    JsonWriter out(body);
    out.begin_object();
    out.name("error");
    out.value(std::string_view(entry.error));
    out.name("error_description");
    out.value(std::string_view(description));
    out.end_object();
    return body;
}

int status_of(const Entry& entry, ErrorStyle style) {
    if (style == ErrorStyle::problem) {
        return entry.problem;
    }
    const bool realm_password =
        style == ErrorStyle::oauth_realm && entry.code == ErrorCode::invalid_grant;
    return realm_password ? 401 : entry.oauth;
}

} // namespace

int problem_status(ErrorCode code, ErrorStyle style) {
    return status_of(entry_of(code), style);
}

HttpResponse problem_response(const Error& error, ErrorStyle style, std::string_view request_id) {
    const Entry& entry = entry_of(error.code());
    HttpResponse response;
    response.status = status_of(entry, style);
    const bool is_internal = error.code() == ErrorCode::internal;
    const std::string_view detail = is_internal ? std::string_view() : error.detail();
    if (style != ErrorStyle::problem) {
        response.body = oauth_body(entry, detail.empty() ? entry.message : detail, request_id);
    } else if (error.code() == ErrorCode::access_denied || error.code() == ErrorCode::not_found) {
        // The contract has the message; what is missing stands in the details.
        response.body = problem_body(response.status, entry.message, detail, request_id);
    } else {
        response.body =
            problem_body(response.status, detail.empty() ? entry.message : detail, {}, request_id);
    }
    return response;
}

HttpResponse problem_response(int status, std::string_view detail, std::string_view request_id) {
    HttpResponse response;
    response.status = status;
    response.body = problem_body(status, detail, {}, request_id);
    return response;
}

} // namespace claviger
