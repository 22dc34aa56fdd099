// SPDX-License-Identifier: Apache-2.0
#include "verifier/server_api.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/strict_json.h"
#include "cli/server_address.h"
#include "jose/jwk.h"
#include "verifier/signed_document.h"

namespace claviger::offline {
namespace {

constexpr std::size_t largest_token_answer = std::size_t{64} * 1024;
constexpr std::size_t largest_snapshot = std::size_t{512} * 1024 * 1024;
constexpr std::size_t largest_piece = std::size_t{4} * 1024 * 1024; // of a stream
constexpr std::int64_t snapshot_milliseconds = 300'000;
constexpr std::int64_t snapshot_silence_seconds = 20;
constexpr std::int64_t stream_silence_seconds = 40; // the server says something every 15
constexpr std::int64_t least_left_seconds = 60;     // of a token that is used

} // namespace

ServerApi::ServerApi(ServerAccount account, const Clock& clock)
    : account_(std::move(account)), clock_(clock) {}

Result<Answer> ServerApi::fetch_keys(Transport& transport) const {
    Request request;
    request.url = account_.server + "/.well-known/jwks.json";
    request.timeout_milliseconds = account_.timeout_milliseconds;
    request.largest_answer = max_key_set_size;
    return transport.send(request);
}

Result<Answer> ServerApi::fetch_snapshot(Transport& transport, std::string_view path) {
    Request request;
    request.url = account_.server + std::string(path);
    request.timeout_milliseconds = snapshot_milliseconds;
    request.silence_seconds = snapshot_silence_seconds;
    request.largest_answer = largest_snapshot;
    Answer answer = TRY(send(transport, std::move(request)));
    if (answer.status != 200) {
        const bool is_forbidden = answer.status == 403;
        return fail(
            ErrorCode::unavailable,
            std::string(path) + " was answered with " + std::to_string(answer.status) +
                (is_forbidden ? ": give the verifier's account the role that it needs" : ""));
    }
    return answer;
}

Result<Answer> ServerApi::follow(Transport& transport, std::uint64_t number,
                                 const TakeBytes& take) {
    Request request;
    request.url = account_.server + "/api/v1/revocations/feed";
    request.is_event_stream = true;
    request.last_event_id = std::to_string(number);
    request.timeout_milliseconds = 0;
    request.silence_seconds = stream_silence_seconds;
    request.largest_answer = largest_piece;
    return send(transport, std::move(request), take);
}

Result<Answer> ServerApi::ask(Transport& transport, std::string_view path, std::string body,
                              const std::string& bearer) const {
    Request request;
    request.url = account_.server + std::string(path);
    request.content_type = "application/json";
    request.body = std::move(body);
    request.bearer = bearer;
    request.timeout_milliseconds = account_.timeout_milliseconds;
    return transport.send(request);
}

Result<Answer> ServerApi::send(Transport& transport, Request request, const TakeBytes& take) {
    for (bool is_second = false;; is_second = true) {
        request.bearer = TRY(bearer(transport));
        Answer answer = TRY(transport.send(request, take));
        if (answer.status != 401) {
            return answer;
        }
        reject(request.bearer);
        if (is_second) {
            return answer;
        }
    }
}

Result<std::string> ServerApi::bearer(Transport& transport) {
    const std::lock_guard lock(mutex_);
    if (token_.empty() || clock_.monotonic_milliseconds() >= renew_at_) {
        TRY(sign_in(transport));
    }
    return std::string(token_.reveal());
}

void ServerApi::reject(std::string_view bearer) {
    const std::lock_guard lock(mutex_);
    if (token_.reveal() == bearer) { // not one that somebody got meanwhile
        token_ = Secret();
    }
}

Result<void> ServerApi::sign_in(Transport& transport) {
    Request request;
    request.url = account_.server + "/oauth2/token";
    request.content_type = "application/x-www-form-urlencoded";
    request.body =
        "grant_type=client_credentials&client_id=" + percent_encoded(account_.client_id) +
        "&client_secret=" + percent_encoded(account_.client_secret.reveal());
    request.timeout_milliseconds = account_.timeout_milliseconds;
    request.largest_answer = largest_token_answer;
    auto sent = transport.send(request);
    wipe(request.body);
    Answer answer = TRY(std::move(sent));
    if (answer.status != 200) {
        return fail(ErrorCode::unauthenticated, "the verifier's own sign-in was answered with " +
                                                    std::to_string(answer.status) +
                                                    ": are client_id and client_secret right?");
    }
    const boost::json::value document = TRY(parse_strict_json(answer.body, {}));
    wipe(answer.body);
    if (!document.is_object()) {
        return fail(ErrorCode::unavailable, "the answer to the verifier's sign-in is malformed");
    }
    const auto token = TRY(text_member(document.get_object(), "access_token"));
    const std::int64_t lifetime = TRY(number_member(document.get_object(), "expires_in"));
    token_ = Secret(token);
    const std::int64_t left = std::max(least_left_seconds, lifetime / 5);
    renew_at_ = clock_.monotonic_milliseconds() + std::max<std::int64_t>(1, lifetime - left) * 1000;
    return {};
}

} // namespace claviger::offline
