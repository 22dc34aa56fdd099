// SPDX-License-Identifier: Apache-2.0
// What scripts of earlier days ask about the tenant and about themselves (contract 1.4, 3.5), and
// the list of priorities.
#include "api/resources.h"

namespace claviger {
namespace {

// --- config -------------------------------------------------------------------------------------

/// Anyone may see this: what a client needs to sign in, and nothing else.
struct PublicConfig {
    std::string auth_realm;
    std::string base_url;
};
BOOST_DESCRIBE_STRUCT(PublicConfig, (), (auth_realm, base_url))

Result<PublicConfig> read_config(Context& context, const NoFields&) {
    const Tenant& tenant = context.state().tenant;
    return PublicConfig{tenant.realm, base_url(context.services.settings, tenant)};
}

// --- me -----------------------------------------------------------------------------------------

struct Me {
    std::string id;
    std::string name;
    std::optional<std::string> email; // of a user
    std::string kind;                 // "user" or "service-account"
    std::int32_t tenant_id = 0;
};
BOOST_DESCRIBE_STRUCT(Me, (), (id, name, email, kind, tenant_id))

Result<Me> read_me(Context& context, const NoFields&) {
    const Principal& principal = context.caller.principal;
    Me me;
    me.id = principal.id.text();
    me.name = principal.name;
    const bool is_user = principal.kind == PrincipalKind::user;
    if (is_user) {
        me.email = principal.name;
    }
    me.kind = is_user ? "user" : "service-account";
    me.tenant_id = number_of(context.caller.tenant());
    return me;
}

// --- settings -----------------------------------------------------------------------------------

/// A switch of the tenant, as it stands.
struct Setting {
    std::string key;
    std::string value; // "true" or "false"
    std::string type = "Boolean";
    std::string category;
    std::string label;
    std::string source = "Tenant";
    bool active = true;
};
BOOST_DESCRIBE_STRUCT(Setting, (), (key, value, type, category, label, source, active))

Setting make_switch(std::string key, bool on, std::string category, std::string label) {
    Setting setting;
    setting.key = std::move(key);
    setting.value = on ? "true" : "false";
    setting.category = std::move(category);
    setting.label = std::move(label);
    return setting;
}

std::vector<Setting> settings_of(const TenantState& state) {
    return {
        make_switch("department.use", true, "Department", "Departments"),
        make_switch("tenant.login_with_sso", !state.identity_providers->empty(), "Tenant",
                    "Sign-in through an identity provider"),
    };
}

Result<std::vector<Setting>> list_settings(Context& context, const NoFields&) {
    return settings_of(context.state());
}

struct SettingRequest {
    std::string setting_key;
};
BOOST_DESCRIBE_STRUCT(SettingRequest, (), (setting_key))

Result<bool> read_setting(Context& context, const SettingRequest& request) {
    for (const Setting& setting : settings_of(context.state())) {
        if (setting.key == request.setting_key) {
            return setting.value == "true";
        }
    }
    return fail(ErrorCode::not_found, "no setting has this settingKey");
}

// --- priorities ---------------------------------------------------------------------------------

/// A name that `resources[].priority` of a project or department may take.
struct Priority {
    std::string name;
    std::int32_t value = 0;
    bool is_default = false;
};
BOOST_DESCRIBE_STRUCT(Priority, (), (name, value, is_default))

struct Priorities {
    std::vector<Priority> priorities;
};
BOOST_DESCRIBE_STRUCT(Priorities, (), (priorities))

Result<Priorities> list_priorities(Context&, const NoFields&) {
    return Priorities{{{"Low", 100, false}, {"Normal", 200, true}, {"High", 300, false}}};
}

constexpr Operation read_operation(std::string_view path, std::string_view id, std::string_view tag,
                                   std::string_view summary, Access access) {
    return {.method = HttpMethod::get,
            .path = path,
            .id = id,
            .tag = tag,
            .summary = summary,
            .access = access,
            .runs_on = RunsOn::inline_thread,
            .deprecated = true};
}

} // namespace

Routes legacy_routes() {
    constexpr Access settings = Access::permission("settings", Action::read, EvaluatedAt::tenant);
    Operation config = read_operation("/v1/k8s/config", "getLegacyConfig", "discovery",
                                      "What a client needs to sign in", Access::anyone());
    config.request_class = RequestClass::metadata;
    return {
        route<read_config>(config),
        route<read_me>(read_operation("/v1/k8s/auth/me", "getLegacyMe", "own access",
                                      "Who the caller is", Access::authenticated())),
        route<list_settings>(read_operation("/v1/k8s/setting", "listLegacySettings", "settings",
                                            "List the switches of the tenant", settings)),
        route<read_setting>(read_operation("/v1/k8s/setting/{settingKey}", "getLegacySetting",
                                           "settings", "Whether a switch is on", settings)),
        route<list_priorities>(read_operation(
            "/api/v1/org-unit/priorities", "getPriorities", "projects",
            "List the names that a priority in resources may have", Access::authenticated())),
    };
}

} // namespace claviger
