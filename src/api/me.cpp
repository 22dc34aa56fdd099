// SPDX-License-Identifier: Apache-2.0
// What the caller itself may do (contract 2.9): every authenticated subject may ask.
#include <algorithm>

#include "api/access_rule_view.h"
#include "api/count.h"
#include "api/permission_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

Result<std::vector<PermissionView>> list_permissions(Context& context, const NoFields&) {
    const Rights rights = rights_of(context.caller.principal);
    return permission_views(permissions_anywhere(context.access(), rights.holder()));
}

// --- permitted-scopes ---------------------------------------------------------------------------

struct ResourceTypeText {
    ResourceType value{};
    static Result<ResourceTypeText> decode(std::string_view text) {
        const auto type = find_resource_type(text);
        if (!type) {
            return fail(ErrorCode::invalid_request, "names no resource type");
        }
        return ResourceTypeText{*type};
    }
    std::string wire() const { return std::string(entry_of(value).name); }
    static json::object schema() {
        json::array names;
        for (const ResourceTypeEntry& type : resource_types()) {
            names.emplace_back(type.name);
        }
        return {{"type", "string"}, {"enum", std::move(names)}};
    }
};

struct ActionText {
    Action value = Action::read;
    static Result<ActionText> decode(std::string_view text) {
        const auto action = find_action(text);
        if (!action) {
            return fail(ErrorCode::invalid_request, "names no action");
        }
        return ActionText{*action};
    }
    std::string wire() const { return std::string(name_of(value)); }
    static json::object schema() {
        json::array names;
        for (std::size_t i = 0; i < action_count; ++i) {
            names.emplace_back(name_of(static_cast<Action>(i)));
        }
        return {{"type", "string"}, {"enum", std::move(names)}};
    }
};

struct PermittedScopesRequest {
    ResourceTypeText resource_type;
    std::optional<ActionText> action;
};
BOOST_DESCRIBE_STRUCT(PermittedScopesRequest, (), (resource_type, action))

struct PermittedScopes {
    bool system = false;
    std::vector<std::string> tenants;
    std::optional<std::string> tenant; // of older clients: the one tenant, when it is permitted
    std::vector<std::string> clusters, departments, projects;
};
BOOST_DESCRIBE_STRUCT(PermittedScopes, (),
                      (system, tenants, tenant, clusters, departments, projects))

/// The four actions under their wire names ("delete" is no C++ name).
void append_scopes(JsonWriter& out, std::string_view name, const PermittedScopes& scopes) {
    out.name(name);
    encode(out, scopes);
}

PermittedScopes scopes_of(const Context& context, Permission permission) {
    const Rights rights = rights_of(context.caller.principal);
    PermittedScopes scopes;
    for (const NodeIndex node : permitted_scopes(context.access(), rights.holder(), permission)) {
        const ScopeId id = context.access().scope_id(node);
        switch (id.type) {
        case ScopeType::system:
            scopes.system = true;
            break;
        case ScopeType::tenant:
            scopes.tenants.push_back(id.value);
            scopes.tenant = id.value;
            break;
        case ScopeType::cluster:
            scopes.clusters.push_back(id.value);
            break;
        case ScopeType::department:
            scopes.departments.push_back(id.value);
            break;
        case ScopeType::project:
            scopes.projects.push_back(id.value);
            break;
        }
    }
    return scopes;
}

Result<RawJson> read_permitted_scopes(Context& context, const PermittedScopesRequest& request) {
    std::string text;
    text.reserve(usual_body);
    JsonWriter out(text);
    out.begin_object();
    for (const Action action : {Action::create, Action::read, Action::update, Action::remove}) {
        const bool asked = !request.action || request.action->value == action;
        append_scopes(out, name_of(action),
                      asked ? scopes_of(context, {request.resource_type.value, action})
                            : PermittedScopes{});
    }
    out.end_object();
    return RawJson{std::move(text)};
}

// --- me/access-rules ----------------------------------------------------------------------------

struct MeAccessRule {
    std::int32_t id = 0;
    std::int32_t tenant_id = 0;
    std::string subject_id;
    SubjectTypeText subject_type;
    std::int32_t role_id = 0;
    std::string role_name;
    std::string scope_id;
    ScopeTypeText scope_type;
    std::string scope_name;
    std::optional<std::string> cluster_id;
};
BOOST_DESCRIBE_STRUCT(MeAccessRule, (),
                      (id, tenant_id, subject_id, subject_type, role_id, role_name, scope_id,
                       scope_type, scope_name, cluster_id))

struct MeAccessRules {
    std::int64_t total_records = 0, display_records = 0;
    std::vector<MeAccessRule> access_rules;
};
BOOST_DESCRIBE_STRUCT(MeAccessRules, (), (total_records, display_records, access_rules))

struct MeAccessRulesResponse {
    MeAccessRules access_rules;
};
BOOST_DESCRIBE_STRUCT(MeAccessRulesResponse, (), (access_rules))

struct MeAccessRulesRequest {
    std::optional<std::int32_t> limit, offset;
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(MeAccessRulesRequest, (), (limit, offset, search))

struct MeAccessRuleCountRequest {
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(MeAccessRuleCountRequest, (), (search))

/// Whether the limits of key and token let some of a rule through.
bool leaves_something(const AccessSnapshot& access, AccessLimits limits, const AccessRule& rule) {
    if (limits.empty()) {
        return true;
    }
    const auto node = access.find(rule.scope);
    const PermissionSet* held = access.permissions_of_role(rule.role.value);
    if (!node || held == nullptr || scopes_within(access, limits, *node).empty()) {
        return false;
    }
    PermissionSet left = *held;
    keep_within(access, limits, left);
    return !left.empty();
}

std::vector<AccessRuleView> own_rules(const Context& context,
                                      const std::optional<std::string>& search) {
    std::vector<AccessRuleView> views;
    const Rights rights = rights_of(context.caller.principal);
    for (const Subject& subject : rights.subjects()) {
        context.access().for_each_rule_of(subject, [&](const AccessRule& rule) {
            if (!leaves_something(context.access(), rights.limits(), rule)) {
                return;
            }
            AccessRuleView view = access_rule_view(context.state(), rule);
            if (!search || access_rule_found(view, *search)) {
                views.push_back(std::move(view));
            }
        });
    }
    std::ranges::sort(views, {}, &AccessRuleView::id);
    return views;
}

Result<MeAccessRulesResponse> list_own_access_rules(Context& context,
                                                    const MeAccessRulesRequest& request) {
    ListRequest list;
    list.limit = request.limit;
    list.offset = request.offset;
    const Page page = TRY(page_of(list));
    auto views = own_rules(context, request.search);
    MeAccessRulesResponse answer;
    answer.access_rules.total_records = static_cast<std::int64_t>(views.size());
    for (AccessRuleView& view : take_page(views, page)) {
        answer.access_rules.access_rules.push_back(
            {view.id, view.tenant_id, view.subject_id, view.subject_type, view.role_id,
             view.role_name, view.scope_id, view.scope_type, view.scope_name, view.cluster_id});
    }
    answer.access_rules.display_records =
        static_cast<std::int64_t>(answer.access_rules.access_rules.size());
    return answer;
}

Result<CountResponse> count_own_access_rules(Context& context,
                                             const MeAccessRuleCountRequest& request) {
    return CountResponse{static_cast<std::int64_t>(own_rules(context, request.search).size())};
}

constexpr Operation own_operation(HttpMethod method, std::string_view path, std::string_view id,
                                  std::string_view summary) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = "own access",
            .summary = summary,
            .access = Access::authenticated(),
            .runs_on = RunsOn::inline_thread,
            .request_class = RequestClass::decision};
}

} // namespace

Routes me_routes() {
    return {
        route<list_permissions>(own_operation(HttpMethod::get, "/api/v1/authorization/permissions",
                                              "listPermissions",
                                              "What the caller may do, anywhere")),
        route<read_permitted_scopes>(
            own_operation(HttpMethod::post, "/api/v1/authorization/permitted-scopes",
                          "getPermittedScopes", "Where the caller holds a permission")),
        route<list_own_access_rules>(
            own_operation(HttpMethod::get, "/api/v1/authorization/me/access-rules",
                          "listOwnAccessRules", "The access rules that reach the caller")),
        route<count_own_access_rules>(
            own_operation(HttpMethod::get, "/api/v1/authorization/me/access-rules/count",
                          "countOwnAccessRules", "Count the rules that reach the caller")),
    };
}

} // namespace claviger
