// SPDX-License-Identifier: Apache-2.0
// A conversation with a server's API: signs in once, calls, and turns every refusal into one line
// and an exit code. Holds no secret longer than the sign-in needs it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "cli/api_settings.h"
#include "cli/exit_code.h"

namespace claviger {

/// Why a command came to nothing: "WHAT: WHERE; WHAT TO DO", without control characters.
struct ApiFailure {
    ExitCode code = ExitCode::failed;
    std::string line;
};
template <class T>
using ApiResult = std::expected<T, ApiFailure>;

struct ApiCall {
    HttpMethod method = HttpMethod::get;
    std::string path;         // with its query, all escaped
    std::string content_type; // of the body; empty: there is none
    Secret body;
};

/// A service account or an access key.
struct Key {
    /// "service-accounts", "access-keys" for the caller's own, "administration/access-keys" for
    /// others'.
    std::string_view collection;
    std::string id;

    /// As paths name it: "service-accounts/ID".
    std::string path() const { return std::string(collection) + "/" + id; }
};

class ApiSession {
public:
    explicit ApiSession(ApiSettings settings) : settings_(std::move(settings)) {}

    /// The decoded answer; null when it is empty.
    ApiResult<boost::json::value> call(const ApiCall& call);

    /// By client id, name or id: a service account, one of the caller's access keys, or anybody's
    /// for who may see them. `text` that fits several is refused.
    ApiResult<Key> find_key(std::string_view text);

private:
    ApiResult<void> sign_in();
    ApiResult<ClientAnswer> exchange(const ApiCall& call) const;
    ApiResult<boost::json::value> get(const std::string& path);

    struct Search;
    ApiResult<void> look_up(Search& search, std::string_view collection, const std::string& path);

    ApiSettings settings_;
    Secret token_; // empty: not signed in yet
};

/// Text of a server's for a terminal: control characters become '?'.
std::string printable(std::string_view text);

} // namespace claviger
