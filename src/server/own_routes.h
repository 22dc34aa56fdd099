// SPDX-License-Identifier: Apache-2.0
// What the server answers without the API: /healthz and /readyz on every listener, and /metrics on
// the listener that is for nothing else.
#pragma once

#include <optional>
#include <string_view>

#include "api/http.h"
#include "server/server_environment.h"

namespace claviger {

/// What a listener serves besides /healthz and /readyz.
enum class Serves : std::uint8_t { api, metrics };

/// The route id when the server itself answers this path.
std::optional<std::string_view> own_route(std::string_view path, Serves serves);

/// The answer to a request for which own_route() gave an id.
HttpResponse serve_own_route(const HttpRequest& request, Serves serves, bool is_stopping,
                             ServerEnvironment& environment);

} // namespace claviger
