// SPDX-License-Identifier: Apache-2.0
#include "cli/api_settings.h"

#include <array>
#include <optional>

#include "base/text.h"
#include "cli/option_sources.h"

namespace claviger {
namespace {

constexpr long longest_timeout = 3600; // seconds

/// The two variables of one way to sign in. A token needs no id.
struct Way {
    CredentialsKind kind;
    const char* id;
    const char* secret;
};
constexpr std::array<Way, 3> ways{{
    {CredentialsKind::client, "CLAVIGER_CLIENT_ID", "CLAVIGER_CLIENT_SECRET"},
    {CredentialsKind::user, "CLAVIGER_USERNAME", "CLAVIGER_PASSWORD"},
    {CredentialsKind::token, nullptr, "CLAVIGER_TOKEN"},
}};

std::unexpected<Error> mistake(std::string line) {
    return fail(ErrorCode::invalid_request, std::move(line));
}

/// The value of NAME, or the first line of the file that NAME_FILE names.
Result<std::optional<Secret>> read_secret(const std::string& name) {
    std::optional<std::string> value = read_variable(name, true);
    const std::string file_name = name + "_FILE";
    const std::optional<std::string> path = read_variable(file_name, false);
    if (value && path) {
        wipe(*value);
        return mistake(name + " and " + file_name + " are both set: environment; unset one");
    }
    if (path) {
        auto line = read_first_line(*path, true);
        if (!line) {
            return mistake(file_name + ": " + *path + " " + line.error().detail());
        }
        return std::optional(Secret(std::move(*line)));
    }
    if (!value) {
        return std::optional<Secret>();
    }
    return std::optional(Secret(std::move(*value)));
}

/// What is set of one way; nothing when none of it is.
Result<std::optional<ApiCredentials>> read_way(const Way& way) {
    std::optional<Secret> secret = TRY(read_secret(way.secret));
    const std::optional<std::string> id =
        way.id == nullptr ? std::nullopt : read_variable(way.id, false);
    if (!secret && !id) {
        return std::optional<ApiCredentials>();
    }
    if (way.id != nullptr && (!id || id->empty())) {
        return mistake(std::string(way.id) + " is missing: environment; set it beside " +
                       way.secret);
    }
    if (!secret || secret->empty()) {
        return mistake(std::string(way.secret) + " is missing: environment; set it, or " +
                       way.secret + "_FILE to the path of a file that only you can read");
    }
    return std::optional(ApiCredentials{way.kind, id.value_or(""), std::move(*secret)});
}

/// Reads all of them in any case, so that no secret stays in the environment.
Result<ApiCredentials> read_credentials() {
    std::optional<ApiCredentials> found;
    std::optional<Error> problem;
    for (const Way& way : ways) {
        auto read = read_way(way);
        if (!read) {
            problem = problem ? problem : std::move(read).error();
        } else if (*read && found) {
            problem = Error(ErrorCode::invalid_request,
                            "there are two kinds of credentials: environment; keep one of "
                            "CLAVIGER_CLIENT_ID, CLAVIGER_USERNAME and CLAVIGER_TOKEN");
        } else if (*read) {
            found = std::move(*read);
        }
    }
    if (problem) {
        return std::unexpected(std::move(*problem));
    }
    if (!found) {
        return mistake("there are no credentials: environment; set CLAVIGER_CLIENT_ID and "
                       "CLAVIGER_CLIENT_SECRET, CLAVIGER_USERNAME and CLAVIGER_PASSWORD, or "
                       "CLAVIGER_TOKEN");
    }
    return std::move(*found);
}

/// The flag's value, else that of the variable.
std::optional<std::string> value_of(const ArgumentValues& arguments, std::string_view flag,
                                    const std::string& variable) {
    if (const auto at = arguments.find(flag); at != arguments.end()) {
        return at->second;
    }
    return read_variable(variable, false);
}

} // namespace

Result<ApiSettings> read_api_settings(const ArgumentValues& arguments) {
    ApiSettings settings;
    settings.credentials = TRY(read_credentials());
    const auto url = value_of(arguments, "url", "CLAVIGER_URL");
    if (!url || url->empty()) {
        return mistake("the server's address is missing: command line; give --url or set "
                       "CLAVIGER_URL");
    }
    auto address = server_address(*url, arguments.contains("allow-http"));
    if (!address) {
        return mistake("url is not accepted: command line or environment; " +
                       address.error().detail());
    }
    settings.url = std::move(*address);
    settings.limits.ca_file = value_of(arguments, "ca-file", "CLAVIGER_CA_FILE").value_or("");
    if (const auto at = arguments.find("timeout"); at != arguments.end()) {
        const auto seconds = parse_integer<long>(at->second);
        if (!seconds || *seconds < 1 || *seconds > longest_timeout) {
            return mistake("timeout is not accepted: flag; give a whole number from 1 to " +
                           std::to_string(longest_timeout));
        }
        settings.limits.timeout_seconds = *seconds;
    }
    return settings;
}

} // namespace claviger
