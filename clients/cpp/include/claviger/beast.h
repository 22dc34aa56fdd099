// SPDX-License-Identifier: Apache-2.0
// Middleware for servers on Boost.Beast: takes the token out of a request, and makes the answer for
// who may not go on. The only header of the library that includes Boost.
#pragma once

#include <boost/beast/http.hpp>
#include <claviger/verifier.h>
#include <optional>
#include <string>
#include <string_view>

namespace claviger::beast {

using response = boost::beast::http::response<boost::beast::http::string_body>;

/// The answer to a request that is refused, as JSON with the challenge of RFC 6750 3.
template <class Request>
response answer_of(const Request& request, int status, std::string_view challenge,
                   std::string_view message) {
    namespace http = boost::beast::http;
    response answer(static_cast<http::status>(status), request.version());
    answer.keep_alive(request.keep_alive());
    answer.set(http::field::content_type, "application/json");
    answer.set(http::field::cache_control, "no-store");
    if (!challenge.empty()) {
        answer.set(http::field::www_authenticate, std::string(challenge));
    }
    if (status == 503) {
        answer.set(http::field::retry_after, "1");
    }
    answer.body() =
        "{\"code\":" + std::to_string(status) + ",\"message\":\"" + std::string(message) + "\"}";
    answer.prepare_payload();
    return answer;
}

/// The token of a request. It must have exactly one `Authorization`.
template <class Request>
verify_outcome authenticate(const verifier& with, const Request& request,
                            std::string_view source_ip = {}) {
    const auto field = boost::beast::http::field::authorization;
    const auto found = request.find(field);
    if (request.count(field) != 1 || found == request.end()) {
        return with.verify_header({}, source_ip);
    }
    const auto value = found->value();
    return with.verify_header(std::string_view(value.data(), value.size()), source_ip);
}

/// Nothing when the token may do this there; else what to answer.
template <class Request>
std::optional<response> permit(const verifier& with, const Request& request,
                               const verified_token& token, std::string_view permission,
                               const scope& where) {
    const decision made = with.can(token, permission, where);
    if (made.allowed) {
        return std::nullopt;
    }
    if (made.unavailable) {
        return answer_of(request, 503, {}, "It cannot be decided now, try again later.");
    }
    return answer_of(request, 403, "Bearer error=\"insufficient_scope\"",
                     "The token does not permit this here.");
}

/// Nothing when the request has a good token that may do this there; else what to answer.
template <class Request>
std::optional<response> require(const verifier& with, const Request& request,
                                std::string_view permission, const scope& where,
                                std::string_view source_ip = {}) {
    const verify_outcome outcome = authenticate(with, request, source_ip);
    if (!outcome) {
        const refusal& refused = outcome.refused();
        return answer_of(request, refused.status, refused.challenge(),
                         refused.status == 503 ? "Tokens cannot be checked now, try again later."
                                               : "A valid bearer token is needed.");
    }
    return permit(with, request, outcome.token(), permission, where);
}

} // namespace claviger::beast
