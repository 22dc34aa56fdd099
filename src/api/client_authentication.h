// SPDX-License-Identifier: Apache-2.0
// How a client says who it is at the endpoints that take a form (RFC 6749 2.3).
#pragma once

#include <optional>
#include <string_view>

#include "api/basic_credentials.h"
#include "api/token_grants.h"

namespace claviger {

/// The members of a form that authenticate a client.
struct ClientFields {
    std::optional<std::string_view> client_id, client_secret;
    bool has_assertion = false;
};

/// What was sent, in the header or in the form but not in both. `basic` keeps what the header held.
Result<Credentials> client_of(Context& context, const ClientFields& fields,
                              std::optional<BasicCredentials>& basic);

/// The client whose credentials were sent, if they are right and it may be served.
Result<Principal> authenticate_client(Context& context, const ClientFields& fields);

} // namespace claviger
