// SPDX-License-Identifier: Apache-2.0
// Which server a command calls, and as whom: flags and variables of the commands that speak HTTP.
// Credentials come from the environment or from files that it names, never from flags, which every
// process of the machine can read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "cli/http_client.h"

namespace claviger {

/// Values of a command's own arguments, by name.
using ArgumentValues = std::map<std::string, std::string, std::less<>>;

enum class CredentialsKind : std::uint8_t { client, user, token };

struct ApiCredentials {
    CredentialsKind kind = CredentialsKind::client;
    std::string id; // client id or user name
    Secret secret;  // or the token itself
};

struct ApiSettings {
    std::string url; // without a slash at its end
    ApiCredentials credentials;
    ClientLimits limits;
};

/// For the end of a help text.
inline constexpr std::string_view credentials_help =
    "Credentials come from the environment: CLAVIGER_CLIENT_ID and CLAVIGER_CLIENT_SECRET,\n"
    "CLAVIGER_USERNAME and CLAVIGER_PASSWORD, or CLAVIGER_TOKEN. With _FILE after its name, a\n"
    "variable names a file that holds the secret.";

/// Takes the secrets out of the environment. The error's detail is a whole line for people.
Result<ApiSettings> read_api_settings(const ArgumentValues& arguments);

} // namespace claviger
