// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>

#include "api/route_map.h"
#include "cli/option_sources.h"

namespace claviger {
namespace {

constexpr const char* mask = "********";
constexpr std::int64_t seconds_per_day = 86'400;

/// A value and its origin. `value` is a problem line when the origin could not be read.
struct Setting {
    std::expected<std::string, std::string> value;
    std::string origin;
};

std::string upper_snake(std::string_view name) {
    std::string text(name);
    std::ranges::transform(text, text.begin(), [](char c) {
        return c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    return text;
}

/// Reads the value from the file that `path` names.
std::expected<std::string, std::string> value_in(const std::string& path, const OptionSpec& spec,
                                                 const std::string& origin) {
    auto line = read_first_line(path, spec.kind == OptionKind::secret);
    if (!line) {
        return std::unexpected(std::string(spec.name) + ", from " + origin + ": " + path + " " +
                               line.error().detail());
    }
    return std::move(*line);
}

/// `text` is the value itself, or for secrets the file that holds it.
Setting from_flag_or_file(const OptionSpec& spec, const std::string& text, std::string origin) {
    if (spec.kind == OptionKind::secret && !text.empty()) {
        return {value_in(text, spec, origin), std::move(origin)};
    }
    return {text, std::move(origin)};
}

/// Paths have no variable `..._FILE`: it would be taken for the path itself.
std::optional<Setting> from_environment(const OptionSpec& spec) {
    const std::string name = variable_of(spec);
    const std::string file_name = name + "_FILE";
    auto value = read_variable(name, spec.kind == OptionKind::secret);
    const auto path =
        spec.kind == OptionKind::path ? std::nullopt : read_variable(file_name, false);
    if (value && path) {
        wipe(*value);
        return Setting{std::unexpected(std::string(spec.name) + " is given twice: environment " +
                                       name + " and " + file_name + "; unset one of them"),
                       "environment " + name};
    }
    if (path) {
        std::string origin = "environment " + file_name;
        if (path->empty()) {
            return Setting{std::string(), std::move(origin)};
        }
        return Setting{value_in(*path, spec, origin), std::move(origin)};
    }
    if (value) {
        return Setting{std::move(*value), "environment " + name};
    }
    return std::nullopt;
}

class Resolution {
public:
    explicit Resolution(const FlagValues& flags) : flags_(flags) {}

    ResolvedOptions run() && {
        for (const OptionSpec& spec : option_table()) {
            take(spec, find_setting(spec));
            if (spec.name == "config" && !result_.options.config.empty()) {
                read_file();
            }
        }
        check_pairs();
        check_gateways();
        check_lifetimes();
        return std::move(result_);
    }

private:
    void read_file() {
        file_ = read_options_file(result_.options.config);
        std::ranges::move(file_.problems, std::back_inserter(result_.problems));
    }

    Setting find_setting(const OptionSpec& spec) {
        // Read in any case, so that no secret stays in the environment.
        std::optional<Setting> environment = from_environment(spec);
        if (const auto flag = flags_.find(spec.name); flag != flags_.end()) {
            return from_flag_or_file(spec, flag->second, "flag");
        }
        if (environment) {
            return std::move(*environment);
        }
        if (const auto at = file_.settings.find(file_key_of(spec)); at != file_.settings.end()) {
            return from_flag_or_file(spec, at->second.text,
                                     "file " + result_.options.config.string() + ":" +
                                         std::to_string(at->second.line));
        }
        return {std::string(spec.default_text), "default"};
    }

    void take(const OptionSpec& spec, Setting setting) {
        const bool is_secret = spec.kind == OptionKind::secret;
        if (!setting.value) {
            result_.problems.push_back(setting.value.error());
            return;
        }
        std::string& text = *setting.value;
        const bool is_default = setting.origin == "default";
        if (!text.empty() || !is_default) {
            accept(spec, text, setting.origin);
        }
        if (spec.name == "listen") {
            result_.options.listen_is_explicit = !is_default;
        }
        if (spec.name == "master-key") {
            result_.options.master_key_origin = setting.origin;
        }
        std::string shown = is_secret && !text.empty() ? mask : text;
        result_.effective.push_back({std::string(spec.name), shown, setting.origin});
        if (is_secret) {
            wipe(text);
        }
    }

    void accept(const OptionSpec& spec, const std::string& text, const std::string& origin) {
        if (text.empty() && spec.kind != OptionKind::list) {
            result_.problems.push_back(std::string(spec.name) + " is empty: " + origin +
                                       "; give a value or leave it out");
            return;
        }
        if (text.empty()) {
            return;
        }
        if (const auto complaint = spec.assign(spec, text, result_.options)) {
            const std::string value = spec.kind == OptionKind::secret ? "" : " " + in_quotes(text);
            result_.problems.push_back(std::string(spec.name) + value +
                                       " is not accepted: " + origin + "; " + *complaint);
        }
    }

    void check_pairs() {
        const Options& options = result_.options;
        if (options.tls_cert.empty() != options.tls_key.empty()) {
            const bool has_key = options.tls_cert.empty();
            result_.problems.push_back(
                std::string(has_key ? "tls-key without tls-cert: " : "tls-cert without tls-key: ") +
                origin_of(has_key ? "tls-key" : "tls-cert") + "; give both or neither");
        }
    }

    void check_gateways() {
        const Options& options = result_.options;
        const bool has_map = origin_of("route-map") != "default";
        if (options.grpc_listen && !has_map) {
            result_.problems.push_back(
                "grpc-listen without route-map: " + origin_of("grpc-listen") +
                "; give the map of the APIs that Envoy stands before");
        }
        if (options.gateway_secret && !has_map) {
            result_.problems.push_back(
                "gateway-secret without route-map: " + origin_of("gateway-secret") +
                "; give the map of the APIs that the gateways stand before");
        }
        if (options.previous_gateway_secret && !options.gateway_secret) {
            result_.problems.push_back("previous-gateway-secret without gateway-secret: " +
                                       origin_of("previous-gateway-secret") +
                                       "; give the one that gateways change to");
        }
        if (options.gateway_secret && options.previous_gateway_secret &&
            options.gateway_secret->reveal() == options.previous_gateway_secret->reveal()) {
            result_.problems.push_back("previous-gateway-secret is the same as gateway-secret: " +
                                       origin_of("previous-gateway-secret") +
                                       "; leave it out, or give the one that was before");
        }
        if (options.route_map && !options.route_map->are_gateways_local() &&
            !options.gateway_secret) {
            result_.problems.push_back(
                "route-map without gateway-secret: " + origin_of("route-map") +
                "; some of its gateways are on other machines, where an address proves little: "
                "give a secret that they send");
        }
    }

    void check_lifetimes() {
        const Options& options = result_.options;
        const bool is_known = options.refresh_token_lifetime > 0; // otherwise there is a problem
        if (is_known && options.refresh_token_lifetime < options.token_lifetime) {
            result_.problems.push_back("refresh-token-lifetime is below token-lifetime: " +
                                       origin_of("refresh-token-lifetime") +
                                       "; give at least as many seconds");
        }
    }

    std::string origin_of(std::string_view name) const {
        return std::ranges::find(result_.effective, name, &EffectiveOption::name)->origin;
    }

    const FlagValues& flags_;
    OptionsFile file_;
    ResolvedOptions result_;
};

} // namespace

TokenSettings token_settings(const Options& options, std::string public_url) {
    TokenSettings settings;
    settings.public_url = std::move(public_url);
    settings.audience = options.token_audience;
    settings.resources = options.token_resource;
    settings.lifetime_seconds = options.token_lifetime;
    settings.refresh_lifetime_seconds = options.refresh_token_lifetime;
    settings.algorithm = options.token_algorithm;
    settings.audience_algorithms = options.audience_algorithm;
    settings.rsa_key_bits = options.rsa_key_bits;
    settings.key_rotation_seconds = options.key_rotation_days * seconds_per_day;
    settings.password_grant = options.password_grant;
    settings.key_expiry_warning_seconds = options.key_expiry_warning_days * seconds_per_day;
    settings.leaked_secret_policy = options.leaked_secret_policy;
    return settings;
}

std::string flag_of(const OptionSpec& spec) {
    return "--" + file_key_of(spec);
}

std::string variable_of(const OptionSpec& spec) {
    return "CLAVIGER_" + upper_snake(spec.name);
}

std::string file_key_of(const OptionSpec& spec) {
    return std::string(spec.name) + (spec.kind == OptionKind::secret ? "-file" : "");
}

ResolvedOptions resolve_options(const FlagValues& flags) {
    return Resolution(flags).run();
}

} // namespace claviger
