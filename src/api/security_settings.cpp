// SPDX-License-Identifier: Apache-2.0
// Security settings (contract 2.11).
#include "auth/security_settings.h"

#include "api/resources.h"
#include "base/text.h"

namespace claviger {
namespace {

/// A known client writes members of an enumeration into the path:
/// "SettingsKeyEnum.AUTOREDIRECTSSO".
bool is_key(std::string_view given, std::string_view key) {
    return ascii_iequal(given.substr(given.rfind('.') + 1), key);
}

constexpr std::string_view auto_redirect_key = "autoRedirectSSO";
constexpr std::string_view idle_timeout_key = "browserSessionTimeout";
constexpr std::string_view logout_redirect_key = "logoutRedirectUri";

struct AutoRedirectView {
    Nullable<bool> enabled;
    Nullable<std::string> idp_alias;
};
BOOST_DESCRIBE_STRUCT(AutoRedirectView, (), (enabled, idp_alias))

struct IdleTimeoutView {
    Nullable<double> idle_timeout; // minutes
};
BOOST_DESCRIBE_STRUCT(IdleTimeoutView, (), (idle_timeout))

struct LogoutRedirectView {
    Nullable<std::string> uri;
};
BOOST_DESCRIBE_STRUCT(LogoutRedirectView, (), (uri))

struct SecuritySettingsView {
    AutoRedirectView auto_redirect_s_s_o; // "autoRedirectSSO"
    IdleTimeoutView browser_session_timeout;
    LogoutRedirectView logout_redirect_uri;
};
BOOST_DESCRIBE_STRUCT(SecuritySettingsView, (),
                      (auto_redirect_s_s_o, browser_session_timeout, logout_redirect_uri))

SecuritySettingsView settings_view(const Context& context) {
    const SecurityValues values = security_values_of(context.state().settings);
    return {{{values.auto_redirect.enabled}, {values.auto_redirect.alias}},
            {{values.idle_timeout_minutes}},
            {{values.logout_redirect_uri}}};
}

Result<SecuritySettingsView> read_settings(Context& context, const NoFields&) {
    return settings_view(context);
}

std::unexpected<Error> unknown_key() {
    return fail(ErrorCode::not_found, "no security setting has this key");
}

struct SettingRequest {
    std::string key;
};
BOOST_DESCRIBE_STRUCT(SettingRequest, (), (key))

/// The members of the one object that was asked for.
struct SettingView {
    std::optional<Nullable<bool>> enabled;
    std::optional<Nullable<std::string>> idp_alias;
    std::optional<Nullable<double>> idle_timeout;
    std::optional<Nullable<std::string>> uri;
};
BOOST_DESCRIBE_STRUCT(SettingView, (), (enabled, idp_alias, idle_timeout, uri))

Result<SettingView> read_setting(Context& context, const SettingRequest& request) {
    const SecuritySettingsView all = settings_view(context);
    SettingView view;
    if (is_key(request.key, auto_redirect_key)) {
        view.enabled = all.auto_redirect_s_s_o.enabled;
        view.idp_alias = all.auto_redirect_s_s_o.idp_alias;
    } else if (is_key(request.key, idle_timeout_key)) {
        view.idle_timeout = all.browser_session_timeout.idle_timeout;
    } else if (is_key(request.key, logout_redirect_key)) {
        view.uri = all.logout_redirect_uri.uri;
    } else {
        return unknown_key();
    }
    return view;
}

/// Of these members, those of the setting that the key names; absent is null.
struct SettingUpdateRequest : SettingRequest {
    std::optional<bool> enabled;
    std::optional<std::string> idp_alias;
    std::optional<double> idle_timeout;
    std::optional<std::string> uri;
};
BOOST_DESCRIBE_STRUCT(SettingUpdateRequest, (), (key, enabled, idp_alias, idle_timeout, uri))

Result<Empty> update_setting(Context& context, const SettingUpdateRequest& request) {
    SecuritySettings& settings = context.services.security_settings;
    Result<void> outcome = unknown_key();
    if (is_key(request.key, auto_redirect_key)) {
        outcome = settings.set_auto_redirect(context.caller, {request.enabled, request.idp_alias});
    } else if (is_key(request.key, idle_timeout_key)) {
        outcome = settings.set_idle_timeout(context.caller, request.idle_timeout);
    } else if (is_key(request.key, logout_redirect_key)) {
        outcome = settings.set_logout_redirect_uri(context.caller, request.uri);
    }
    TRY(std::move(outcome));
    return Empty{};
}

constexpr Access may(Action action) {
    return Access::permission("security-settings", action, EvaluatedAt::tenant);
}

} // namespace

Routes security_settings_routes() {
    constexpr std::string_view item = "/api/v1/security/settings/{key}";
    constexpr std::string_view tag = "security settings";
    return {
        route<read_settings>({.method = HttpMethod::get,
                              .path = "/api/v1/security/settings",
                              .id = "getSecuritySettings",
                              .tag = tag,
                              .summary = "Read all security settings",
                              .access = may(Action::read),
                              .runs_on = RunsOn::inline_thread}),
        route<read_setting>(
            {.method = HttpMethod::get,
             .path = item,
             .id = "getSecuritySetting",
             .tag = tag,
             .summary = "Read autoRedirectSSO, browserSessionTimeout or logoutRedirectUri",
             .access = may(Action::read),
             .runs_on = RunsOn::inline_thread}),
        route<update_setting>({.method = HttpMethod::put,
                               .path = item,
                               .id = "updateSecuritySetting",
                               .tag = tag,
                               .summary = "Replace one security setting",
                               .access = may(Action::update)}),
    };
}

} // namespace claviger
