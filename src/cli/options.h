// SPDX-License-Identifier: Apache-2.0
// Configuration: every option is declared once, in the table, and can be given as a flag, as an
// environment variable or in a TOML file; flag > environment > file > default. Secrets come from
// their variable or from a file that the variable, flag or key `...-file` names, never as a flag's
// or the file's own value, and are removed from the environment once read.
// This module owns names, types, bounds, precedence and messages. What an option does is not here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token_settings.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/option_values.h"

namespace claviger {

class RouteMap;

/// The effective configuration, checked. `resolve_options` fills every field from the table.
struct Options {
    std::filesystem::path data;
    std::filesystem::path config; // empty: none
    SocketAddress listen;
    bool listen_is_explicit = false; // otherwise the next free port may be taken
    std::string public_url;          // without a trailing slash; empty: the listening address
    std::optional<SocketAddress> metrics_listen;
    std::optional<SocketAddress> grpc_listen; // with route_map only
    std::filesystem::path tls_cert;           // both or neither
    std::filesystem::path tls_key;
    std::string admin_email;
    std::optional<Secret> admin_password; // absent: generated when one is needed
    std::optional<Secret> master_key;     // absent: see cli/master_key_source.h
    std::string master_key_origin;        // of that option: "flag", "environment X"
    std::int64_t token_lifetime = 0;      // seconds
    std::int64_t refresh_token_lifetime = 0;
    std::string token_audience;
    std::vector<std::string> token_resource; // other audiences, absolute URIs
    std::map<std::string, SigningAlgorithm, std::less<>> audience_algorithm;
    std::int64_t key_rotation_days = 0; // 0: never by itself
    std::int64_t key_expiry_warning_days = 0;
    std::shared_ptr<const RouteMap> route_map; // of protected APIs; null: none
    std::optional<Secret> gateway_secret;      // that its gateways show
    std::optional<Secret> previous_gateway_secret;
    std::int64_t audit_retention_days = 0;  // 0: for ever
    std::int64_t usage_retention_days = 0;  // likewise
    std::vector<std::string> trusted_proxy; // networks, "10.0.0.0/8"
    int rsa_key_bits = 0;
    int threads = 0;
    SigningAlgorithm token_algorithm = SigningAlgorithm::es256;
    LeakPolicy leaked_secret_policy = LeakPolicy::revoke;
    LogLevel log_level = LogLevel::info;
    bool password_grant = true;

    /// Where the master key lies when it is given nowhere else; made there at the first start.
    std::filesystem::path master_key_file() const { return data / "master.key"; }
};

/// `public_url` is the option's value, or the listening address when that is empty.
TokenSettings token_settings(const Options& options, std::string public_url);

enum class OptionKind : std::uint8_t { text, path, integer, boolean, choice, list, secret };

struct OptionSpec {
    /// Takes the value, or says what a right one looks like ("give a number from 1 to 64").
    using Assign = std::optional<std::string> (*)(const OptionSpec& spec, std::string_view text,
                                                  Options& options);

    std::string_view name = {}; // "token-lifetime"
    OptionKind kind = OptionKind::text;
    std::string_view metavar = {};
    std::string_view default_text = {}; // empty: no value
    std::string_view without = {};      // what happens without a value
    std::string_view help = {};
    Assign assign = nullptr;
    std::int64_t least = 0; // integers
    std::int64_t most = 0;
    std::vector<std::string_view> choices = {};
    bool default_depends_on_machine = false;
    bool for_operators = false; // also a flag of the commands that work on a data directory
    bool in_file = true;
};

const std::vector<OptionSpec>& option_table();

/// "--token-lifetime", for secrets "--admin-password-file".
std::string flag_of(const OptionSpec& spec);
/// "CLAVIGER_TOKEN_LIFETIME".
std::string variable_of(const OptionSpec& spec);
/// "token-lifetime", for secrets "admin-password-file".
std::string file_key_of(const OptionSpec& spec);

struct EffectiveOption {
    std::string name;
    std::string value;  // secrets are masked; empty: none
    std::string origin; // "flag", "environment CLAVIGER_X", "file claviger.toml:12", "default"
};

struct ResolvedOptions {
    Options options;
    std::vector<EffectiveOption> effective; // in the order of the table
    /// One line each: what is wrong, where it came from, what to do. Empty: `options` is good.
    std::vector<std::string> problems;
};

/// Flag values by option name; lists are joined with commas.
using FlagValues = std::map<std::string, std::string, std::less<>>;

/// Reads the environment and the file, and wipes secrets from the environment.
ResolvedOptions resolve_options(const FlagValues& flags);

} // namespace claviger
