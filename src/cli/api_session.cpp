// SPDX-License-Identifier: Apache-2.0
#include "cli/api_session.h"

#include <algorithm>

#include "base/strict_json.h"
#include "base/text.h"
#include "base/uuid.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr StrictJsonLimits answer_limits{.max_depth = 32, .max_members = 4096};

std::string member_of(const json::value& value, std::string_view name) {
    const json::object* object = value.if_object();
    const json::value* member = object == nullptr ? nullptr : object->if_contains(name);
    const json::string* text = member == nullptr ? nullptr : member->if_string();
    return text == nullptr ? std::string() : std::string(std::string_view(*text));
}

/// The path without its query, which says nothing about what went wrong.
std::string place_of(const ApiCall& call) {
    return std::string(name_of(call.method)) + " " + call.path.substr(0, call.path.find('?'));
}

ApiFailure no_answer(const Error& error, const std::string& url) {
    if (error.code() == ErrorCode::too_large) {
        return {ExitCode::failed, error.detail() + ": " + printable(url) + "; ask for less"};
    }
    return {ExitCode::server_unreachable,
            printable(error.detail()) + ": " + printable(url) +
                "; check --url, the network and, for https, --ca-file"};
}

struct Advice {
    ExitCode code;
    std::string_view text;
};

Advice advice_for(int status) {
    switch (status) {
    case 400:
        return {ExitCode::usage, "change the command and try again"};
    case 401:
        return {ExitCode::refused, "check the credentials; a token may have expired or been ended: "
                                   "claviger why says more"};
    case 403:
        return {ExitCode::denied,
                "ask an administrator for an access rule: claviger why says which"};
    case 404:
        return {ExitCode::not_found, "check the name or id, and that the server has this command"};
    case 429:
    case 503:
        return {ExitCode::try_later, "try again later"};
    default:
        return status >= 500 ? Advice{ExitCode::failed, "look for the request id in the server's "
                                                        "log"}
                             : Advice{ExitCode::failed, "change the command and try again"};
    }
}

/// The answer's own words. An answer in another form came from something before the server.
std::string words_of(const ClientAnswer& answer) {
    const auto body = parse_strict_json(answer.body, answer_limits);
    std::string message = body ? member_of(*body, "message") : "";
    std::string details = body ? member_of(*body, "details") : "";
    if (body && message.empty()) { // the form of RFC 6749 5.2
        message = member_of(*body, "error");
        details = member_of(*body, "error_description");
    }
    if (message.empty()) {
        message = "the answer has status " + std::to_string(answer.status) +
                  " and is not one of claviger";
    }
    if (!answer.request_id.empty() && !details.contains(answer.request_id)) {
        details += (details.empty() ? "" : "; ") + std::string("request id ") + answer.request_id;
    }
    return printable(message + (details.empty() ? "" : " (" + details + ")"));
}

ApiFailure failure_of(const ClientAnswer& answer, const std::string& where, const Advice& advice) {
    return {advice.code, words_of(answer) + ": " + where + "; " + std::string(advice.text)};
}

ApiFailure failure_of(const ClientAnswer& answer, const ApiCall& call) {
    return failure_of(answer, place_of(call), advice_for(answer.status));
}

bool is_success(int status) {
    return status >= 200 && status < 300;
}

ApiResult<json::value> decoded(const ClientAnswer& answer, const ApiCall& call) {
    if (answer.body.empty()) {
        return json::value();
    }
    auto value = parse_strict_json(answer.body, answer_limits);
    if (!value) {
        return std::unexpected(ApiFailure{
            ExitCode::failed, "the answer is not JSON: " + place_of(call) + "; check --url"});
    }
    return std::move(*value);
}

/// The body of a sign-in in the API's own form.
Secret sign_in_body(const ApiCredentials& credentials) {
    const bool is_user = credentials.kind == CredentialsKind::user;
    std::string body = R"({"grantType":)";
    append_json_string(body, is_user ? "password" : "client_credentials");
    body += is_user ? R"(,"username":)" : R"(,"clientId":)";
    append_json_string(body, credentials.id);
    body += is_user ? R"(,"password":)" : R"(,"clientSecret":)";
    append_json_string(body, credentials.secret.reveal());
    body += '}';
    return Secret(std::move(body));
}

} // namespace

std::string printable(std::string_view text) {
    const bool is_text = is_utf8(text);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool is_c1 =
            byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (byte < 0x20 || byte == 0x7F || is_c1 || (!is_text && byte >= 0x80)) {
            out += '?';
            i += is_c1 && is_text ? 1 : 0;
        } else {
            out += text[i];
        }
    }
    return out;
}

ApiResult<ClientAnswer> ApiSession::exchange(const ApiCall& call) const {
    const ClientRequest request{call.method, settings_.url + call.path, call.content_type,
                                call.body.reveal(), token_.reveal()};
    auto answer = send_request(request, settings_.limits);
    if (!answer) {
        return std::unexpected(no_answer(answer.error(), settings_.url));
    }
    return std::move(*answer);
}

ApiResult<void> ApiSession::sign_in() {
    ApiCredentials& credentials = settings_.credentials;
    if (credentials.kind == CredentialsKind::token) {
        token_ = std::move(credentials.secret);
        return {};
    }
    const ApiCall call{HttpMethod::post, "/api/v1/token", "application/json",
                       sign_in_body(credentials)};
    credentials.secret = Secret();
    ClientAnswer answer = TRY(exchange(call));
    if (!is_success(answer.status)) {
        // Wrong credentials are a 400 in the contract.
        const Advice advice = answer.status == 400 || answer.status == 401
                                  ? Advice{ExitCode::refused, "check the credentials in the "
                                                              "environment"}
                                  : advice_for(answer.status);
        return std::unexpected(failure_of(answer, place_of(call), advice));
    }
    const json::value body = TRY(decoded(answer, call));
    wipe(answer.body);
    token_ = Secret(member_of(body, "accessToken"));
    if (token_.empty()) {
        return std::unexpected(ApiFailure{
            ExitCode::failed, "the answer holds no token: " + place_of(call) + "; check --url"});
    }
    return {};
}

ApiResult<json::value> ApiSession::call(const ApiCall& call) {
    if (token_.empty()) {
        TRY(sign_in());
    }
    const ClientAnswer answer = TRY(exchange(call));
    if (!is_success(answer.status)) {
        return std::unexpected(failure_of(answer, call));
    }
    return decoded(answer, call);
}

ApiResult<json::value> ApiSession::get(const std::string& path) {
    return call({HttpMethod::get, path, {}, {}});
}

// --- finding a key ------------------------------------------------------------------------------

struct ApiSession::Search {
    std::string_view text;
    std::vector<Key> found;
    bool was_denied = false; // somewhere it might have been

    void offer(std::string_view collection, const json::value& item) {
        const std::string id = member_of(item, "id");
        const bool fits =
            id == text || member_of(item, "clientId") == text || member_of(item, "name") == text;
        if (fits && std::ranges::find(found, id, &Key::id) == found.end()) {
            found.push_back({collection, id});
        }
    }

    void offer_all(std::string_view collection, const json::value& answer) {
        if (const json::object* object = answer.if_object()) {
            if (const json::value* keys = object->if_contains("accessKeys")) {
                offer_all(collection, *keys);
            } else {
                offer(collection, answer);
            }
        } else if (const json::array* items = answer.if_array()) {
            for (const json::value& item : *items) {
                offer(collection, item);
            }
        }
    }
};

ApiResult<void> ApiSession::look_up(Search& search, std::string_view collection,
                                    const std::string& path) {
    const auto answer = get(path);
    if (answer) {
        search.offer_all(collection, *answer);
    } else if (answer.error().code == ExitCode::denied) {
        search.was_denied = true;
    } else if (answer.error().code != ExitCode::not_found) {
        return std::unexpected(answer.error());
    }
    return {};
}

ApiResult<Key> ApiSession::find_key(std::string_view text) {
    constexpr std::string_view accounts = "service-accounts";
    constexpr std::string_view keys = "access-keys";
    constexpr std::string_view keys_of_all = "administration/access-keys";
    const std::string value = percent_encoded(text);
    Search search{text, {}, false};
    TRY(look_up(search, accounts,
                Uuid::parse(text) ? "/api/v1/service-accounts/" + value
                                  : "/api/v1/service-accounts?clientId=" + value));
    TRY(look_up(search, keys, "/api/v1/access-keys"));
    if (search.found.empty()) {
        TRY(look_up(search, keys_of_all,
                    "/api/v1/administration/access-keys" +
                        (text.starts_with("ak-") ? "?clientId=" + value : std::string())));
    }
    if (search.found.size() == 1) {
        return std::move(search.found.front());
    }
    if (!search.found.empty()) {
        return std::unexpected(
            ApiFailure{ExitCode::failed, "several keys are called " + printable(text) +
                                             ": command line; give the client id or the id"});
    }
    return std::unexpected(
        ApiFailure{search.was_denied ? ExitCode::denied : ExitCode::not_found,
                   "no key that you may see is called " + printable(text) +
                       ": command line; give a client id, a name or an id" +
                       (search.was_denied ? ", or ask for the right to read keys" : "")});
}

} // namespace claviger
