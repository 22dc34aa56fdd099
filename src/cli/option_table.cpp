// SPDX-License-Identifier: Apache-2.0
// The table: the one place where an option is declared.
#include <algorithm>
#include <thread>

#include "auth/names.h"
#include "auth/narrowing.h"
#include "base/text.h"
#include "cli/assign_option.h"
#include "cli/route_map_file.h"

namespace claviger {
namespace {

constexpr std::size_t shortest_gateway_secret = 32;
constexpr std::size_t longest_gateway_secret = 256;

Complaint assign_public_url(const OptionSpec&, std::string_view text, Options& options) {
    const auto url = parse_public_url(text);
    if (!url) {
        return "give an address such as https://auth.example.com, without user, query or fragment";
    }
    options.public_url = *url;
    return std::nullopt;
}

Complaint assign_email(const OptionSpec&, std::string_view text, Options& options) {
    if (!is_email_address(text)) {
        return "give an e-mail address such as admin@example.com";
    }
    options.admin_email = std::string(text);
    return std::nullopt;
}

bool is_audience(std::string_view text) {
    constexpr std::size_t longest = 255;
    return !text.empty() && text.size() <= longest &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

Complaint assign_audience(const OptionSpec&, std::string_view text, Options& options) {
    if (!is_audience(text)) {
        return "give at most 255 printable ASCII characters without spaces";
    }
    options.token_audience = std::string(text);
    return std::nullopt;
}

/// Shows `assign` the parts between commas, until one is complained about.
template <class Assign>
Complaint assign_parts(std::string_view text, Assign assign) {
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (auto complaint = assign(text.substr(begin, end - begin))) {
            return complaint;
        }
        begin = end + 1;
    }
    return std::nullopt;
}

Complaint assign_resources(const OptionSpec&, std::string_view text, Options& options) {
    return assign_parts(text, [&](std::string_view resource) -> Complaint {
        if (!is_absolute_uri(resource)) {
            return "give absolute URIs without a fragment, such as https://build.example.com";
        }
        options.token_resource.emplace_back(resource);
        return std::nullopt;
    });
}

/// "AUDIENCE=ALGORITHM"; the last "=" counts.
Complaint assign_audience_algorithms(const OptionSpec& spec, std::string_view text,
                                     Options& options) {
    return assign_parts(text, [&](std::string_view pair) -> Complaint {
        const std::size_t equals = pair.rfind('=');
        const auto at = equals == std::string_view::npos
                            ? spec.choices.end()
                            : std::ranges::find(spec.choices, pair.substr(equals + 1));
        if (at == spec.choices.end() || !is_audience(pair.substr(0, equals))) {
            return "give an audience and its algorithm, such as files=RS256; the algorithms are "
                   "ES256, RS256, Ed25519";
        }
        const auto algorithm = static_cast<SigningAlgorithm>(at - spec.choices.begin());
        if (!options.audience_algorithm.emplace(pair.substr(0, equals), algorithm).second) {
            return "name each audience once";
        }
        return std::nullopt;
    });
}

Complaint assign_networks(const OptionSpec&, std::string_view text, Options& options) {
    return assign_parts(text, [&](std::string_view part) -> Complaint {
        const auto network = parse_network(part);
        if (!network) {
            return "give networks such as 10.0.0.0/8 or fd00::/8";
        }
        options.trusted_proxy.push_back(*network);
        return std::nullopt;
    });
}

template <auto field>
Complaint assign_gateway_secret(const OptionSpec&, std::string_view text, Options& options) {
    const bool is_visible = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
    if (text.size() < shortest_gateway_secret || text.size() > longest_gateway_secret ||
        !is_visible) {
        return "give 32 to 256 visible characters, such as those of `openssl rand -hex 32`";
    }
    options.*field = Secret(text);
    return std::nullopt;
}

Complaint assign_route_map(const OptionSpec&, std::string_view text, Options& options) {
    auto map = read_route_map(text);
    if (!map) {
        std::string complaint;
        for (const std::string& problem : map.error()) {
            complaint += (complaint.empty() ? "" : "; ") + problem;
        }
        return complaint;
    }
    for (const ProtectedApi& api : map->apis()) { // tokens may be asked for it alone
        options.token_resource.push_back(api.resource);
    }
    options.route_map = std::make_shared<const RouteMap>(*std::move(map)); // with the dispatcher
    return std::nullopt;
}

constexpr std::int64_t most_threads = 64;

std::string_view core_count() {
    static const std::string text = std::to_string(
        std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, most_threads));
    return text;
}

std::vector<OptionSpec> make_place_options() {
    return {
        // The first: every other option may stand in the file that this one names.
        {.name = "config",
         .kind = OptionKind::path,
         .metavar = "FILE",
         .without = "no file",
         .help = "TOML file with options, one flat key each",
         .assign = assign_text<&Options::config>,
         .for_operators = true,
         .in_file = false},
        {.name = "data",
         .kind = OptionKind::path,
         .metavar = "DIR",
         .default_text = "./.claviger",
         .help = "Folder that holds everything the server keeps",
         .assign = assign_text<&Options::data>,
         .for_operators = true},
        {.name = "listen",
         .metavar = "HOST:PORT",
         .default_text = "127.0.0.1:8080",
         .help = "Address to serve at; port 0 takes any. Unless given, the next free port is used "
                 "when this one is taken",
         .assign = assign_address<&Options::listen>},
        {.name = "public-url",
         .metavar = "URL",
         .without = "the listening address",
         .help = "Address under which clients reach the server; issuers of tokens begin with it",
         .assign = assign_public_url},
        {.name = "metrics-listen",
         .metavar = "HOST:PORT",
         .without = "off",
         .help = "Address of the listener for Prometheus metrics; port 0 takes any",
         .assign = assign_address<&Options::metrics_listen>},
        {.name = "grpc-listen",
         .metavar = "HOST:PORT",
         .without = "off",
         .help = "Address of the listener for Envoy's questions over gRPC; needs route-map; port 0 "
                 "takes any",
         .assign = assign_address<&Options::grpc_listen>},
        {.name = "tls-cert",
         .kind = OptionKind::path,
         .metavar = "FILE",
         .without = "plain HTTP",
         .help = "Certificate chain (PEM); needs tls-key",
         .assign = assign_text<&Options::tls_cert>},
        {.name = "tls-key",
         .kind = OptionKind::path,
         .metavar = "FILE",
         .without = "plain HTTP",
         .help = "Private key of the certificate (PEM); needs tls-cert",
         .assign = assign_text<&Options::tls_key>},
    };
}

std::vector<OptionSpec> make_secret_options() {
    return {
        {.name = "admin-email",
         .metavar = "EMAIL",
         .default_text = "admin@example.com",
         .help = "E-mail of the first administrator; used only while there is none",
         .assign = assign_email},
        {.name = "admin-password",
         .kind = OptionKind::secret,
         .metavar = "FILE",
         .without = "generated and shown once",
         .help = "Password of the first administrator, at least 15 characters; used only while "
                 "there is none",
         .assign = assign_secret<&Options::admin_password>},
        {.name = "gateway-secret",
         .kind = OptionKind::secret,
         .metavar = "FILE",
         .without = "gateways are known by their addresses, and must be on this machine",
         .help = "What the gateways of the route map send as X-Gateway-Secret",
         .assign = assign_gateway_secret<&Options::gateway_secret>},
        {.name = "previous-gateway-secret",
         .kind = OptionKind::secret,
         .metavar = "FILE",
         .without = "only gateway-secret is good",
         .help = "Is good as well while gateways change from it to gateway-secret",
         .assign = assign_gateway_secret<&Options::previous_gateway_secret>},
        {.name = "master-key",
         .kind = OptionKind::secret,
         .metavar = "FILE",
         .without = "the credential claviger-master-key of systemd, else DIR/master.key, made at "
                    "the first start",
         .help = "Key over all stored secrets and signing keys: 64 hexadecimal digits",
         .assign = assign_secret<&Options::master_key>,
         .for_operators = true},
    };
}

std::vector<OptionSpec> make_token_options() {
    return {
        {.name = "token-lifetime",
         .kind = OptionKind::integer,
         .metavar = "SECONDS",
         .default_text = "3600",
         .help = "Life of an access token",
         .assign = assign_integer<&Options::token_lifetime>,
         .least = 61,
         .most = 86'400},
        {.name = "refresh-token-lifetime",
         .kind = OptionKind::integer,
         .metavar = "SECONDS",
         .default_text = "2592000",
         .help = "Life of a user's refresh tokens, from the sign-in; at least token-lifetime",
         .assign = assign_integer<&Options::refresh_token_lifetime>,
         .least = 61,
         .most = 31'536'000},
        {.name = "token-audience",
         .metavar = "TEXT",
         .default_text = "runai",
         .help = "The aud claim of access tokens",
         .assign = assign_audience},
        {.name = "token-resource",
         .kind = OptionKind::list,
         .metavar = "URI",
         .without = "none",
         .help = "Another audience, for which a request may ask with `resource` (RFC 8707); may be "
                 "given several times",
         .assign = assign_resources},
        {.name = "password-grant",
         .kind = OptionKind::boolean,
         .metavar = "BOOL",
         .default_text = "true",
         .help = "Whether users may get tokens with e-mail and password",
         .assign = assign_boolean<&Options::password_grant>},
        {.name = "key-expiry-warning-days",
         .kind = OptionKind::integer,
         .metavar = "DAYS",
         .default_text = "7",
         .help = "How long before its expiry a key is warned of; 0 never",
         .assign = assign_integer<&Options::key_expiry_warning_days>,
         .least = 0,
         .most = 3'650},
        {.name = "leaked-secret-policy",
         .kind = OptionKind::choice,
         .metavar = "POLICY",
         .default_text = "revoke",
         .help = "What is done with a client secret that is reported as leaked",
         .assign = assign_choice<&Options::leaked_secret_policy>,
         .choices = {"revoke", "freeze", "record"}},
    };
}

std::vector<OptionSpec> make_signing_options() {
    return {
        {.name = "token-algorithm",
         .kind = OptionKind::choice,
         .metavar = "NAME",
         .default_text = "ES256",
         .help = "Signature of tokens; a new key of the kind is made when there is none",
         .assign = assign_choice<&Options::token_algorithm>,
         .choices = {"ES256", "RS256", "Ed25519"}},
        {.name = "audience-algorithm",
         .kind = OptionKind::list,
         .metavar = "AUDIENCE=NAME",
         .without = "none",
         .help = "Signature of tokens for this audience, where it is not token-algorithm; may be "
                 "given several times",
         .assign = assign_audience_algorithms,
         .choices = {"ES256", "RS256", "Ed25519"}},
        {.name = "key-rotation-days",
         .kind = OptionKind::integer,
         .metavar = "DAYS",
         .default_text = "30",
         .help = "How long a signing key signs before another takes its place; 0: until claviger "
                 "keys rotate",
         .assign = assign_integer<&Options::key_rotation_days>,
         .least = 0,
         .most = 3'650},
        {.name = "rsa-key-bits",
         .kind = OptionKind::integer,
         .metavar = "BITS",
         .default_text = "3072",
         .help = "Size of new keys for RS256",
         .assign = assign_integer<&Options::rsa_key_bits>,
         .least = 2048,
         .most = 4096},
    };
}

std::vector<OptionSpec> make_running_options() {
    return {
        {.name = "audit-retention-days",
         .kind = OptionKind::integer,
         .metavar = "DAYS",
         .default_text = "90",
         .help = "How long audit events are kept; 0 keeps them for ever",
         .assign = assign_integer<&Options::audit_retention_days>,
         .least = 0,
         .most = 36'500},
        {.name = "usage-retention-days",
         .kind = OptionKind::integer,
         .metavar = "DAYS",
         .default_text = "400",
         .help = "How long it is kept what each key used on a day; 0 keeps it for ever",
         .assign = assign_integer<&Options::usage_retention_days>,
         .least = 0,
         .most = 36'500},
        {.name = "route-map",
         .kind = OptionKind::path,
         .metavar = "FILE",
         .without = "no API but our own",
         .help = "Map of the APIs behind gateways: what their requests need (TOML)",
         .assign = assign_route_map},
        {.name = "threads",
         .kind = OptionKind::integer,
         .metavar = "NUMBER",
         .default_text = core_count(),
         .without = "the number of cores",
         .help = "Threads that serve connections",
         .assign = assign_integer<&Options::threads>,
         .least = 1,
         .most = most_threads,
         .default_depends_on_machine = true},
        {.name = "trusted-proxy",
         .kind = OptionKind::list,
         .metavar = "NETWORK",
         .without = "none",
         .help = "Network whose X-Forwarded-For is believed; may be given several times",
         .assign = assign_networks},
        {.name = "log-level",
         .kind = OptionKind::choice,
         .metavar = "LEVEL",
         .default_text = "info",
         .help = "Least level of log lines",
         .assign = assign_choice<&Options::log_level>,
         .choices = {"debug", "info", "warning", "error"}},
    };
}

} // namespace

const std::vector<OptionSpec>& option_table() {
    static const std::vector<OptionSpec> table = [] {
        std::vector<OptionSpec> all = make_place_options();
        std::ranges::move(make_secret_options(), std::back_inserter(all));
        std::ranges::move(make_token_options(), std::back_inserter(all));
        std::ranges::move(make_signing_options(), std::back_inserter(all));
        std::ranges::move(make_running_options(), std::back_inserter(all));
        return all;
    }();
    return table;
}

} // namespace claviger
