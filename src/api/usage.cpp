// SPDX-License-Identifier: Apache-2.0
// What a service account or an access key used.
#include "api/day_text.h"
#include "api/named_keys.h"
#include "api/resources.h"
#include "api/scope_text.h"
#include "auth/usage_reports.h"

namespace claviger {
namespace {

constexpr std::int32_t usual_days = 90;

struct ScopeUsageView {
    ScopeTypeText scope_type;
    std::string scope_id;
    Nullable<std::string> scope_name; // null: it was deleted
    std::vector<std::string> permissions;
    DayText first_used, last_used;
    std::int32_t days = 0;
};
BOOST_DESCRIBE_STRUCT(ScopeUsageView, (),
                      (scope_type, scope_id, scope_name, permissions, first_used, last_used, days))

struct UsageResponse {
    DayText from, to, recorded_since;
    std::vector<ScopeUsageView> scopes;
};
BOOST_DESCRIBE_STRUCT(UsageResponse, (), (from, to, recorded_since, scopes))

struct ServiceAccountUsageRequest {
    std::string service_account_id;
    std::optional<DayText> from, to; // both included; the last 90 days where they are left out
};
BOOST_DESCRIBE_STRUCT(ServiceAccountUsageRequest, (), (service_account_id, from, to))

struct AccessKeyUsageRequest {
    std::string access_key_id;
    std::optional<DayText> from, to;
};
BOOST_DESCRIBE_STRUCT(AccessKeyUsageRequest, (), (access_key_id, from, to))

ScopeUsageView view_of(const AccessSnapshot& access, ScopeUsage usage) {
    ScopeUsageView view;
    view.scope_type = {usage.scope.type};
    if (const auto node = access.find(usage.scope)) {
        view.scope_name = {std::string(access.name(*node))};
    }
    view.scope_id = std::move(usage.scope.value);
    view.permissions = std::move(usage.permissions);
    view.first_used = {usage.first};
    view.last_used = {usage.last};
    view.days = usage.days;
    return view;
}

template <class Request>
Result<UsageResponse> answer_usage(const Context& context, const Request& request,
                                   const Credential& credential) {
    Usage& usage = context.services.usage;
    UsageResponse answer;
    answer.to = request.to.value_or(DayText{usage.today()});
    answer.from = request.from.value_or(DayText{answer.to.value.plus(1 - usual_days)});
    if (answer.from.value > answer.to.value) {
        return fail(ErrorCode::invalid_request, "from is later than to");
    }
    auto scopes = TRY(
        find_usage(usage, context.caller.tenant(), credential, answer.from.value, answer.to.value));
    const auto numbers = TRY(usage.numbers());
    answer.recorded_since = {numbers->since()};
    for (ScopeUsage& scope : scopes) {
        answer.scopes.push_back(view_of(context.access(), std::move(scope)));
    }
    return answer;
}

Result<UsageResponse> read_account_usage(Context& context,
                                         const ServiceAccountUsageRequest& request) {
    const AccountEntry* account = TRY(find_account(context, request.service_account_id));
    return answer_usage(context, request, {CredentialKind::service_account, account->id});
}

template <KeyReach reach>
Result<UsageResponse> read_access_key_usage(Context& context,
                                            const AccessKeyUsageRequest& request) {
    const AccessKeyEntry* key = TRY(find_access_key(context, request.access_key_id, reach));
    return answer_usage(context, request, {CredentialKind::access_key, key->id.value});
}

constexpr Operation operation(std::string_view path, std::string_view id, std::string_view summary,
                              Access access) {
    return {.method = HttpMethod::get,
            .path = path,
            .id = id,
            .tag = "usage",
            .summary = summary,
            .access = access};
}

} // namespace

Routes usage_routes() {
    const auto may_read = [](std::string_view type) {
        return Access::permission(type, Action::read, EvaluatedAt::tenant);
    };
    return {
        route<read_account_usage>(operation(
            "/api/v1/service-accounts/{serviceAccountId}/usage", "getServiceAccountUsage",
            "Tell which permissions a service account used, where", may_read("service-account"))),
        route<read_access_key_usage<KeyReach::own>>(
            operation("/api/v1/access-keys/{accessKeyId}/usage", "getAccessKeyUsage",
                      "Tell which permissions one of the caller's access keys used, where",
                      Access::authenticated())),
        route<read_access_key_usage<KeyReach::tenant>>(operation(
            "/api/v1/administration/access-keys/{accessKeyId}/usage", "getAnyAccessKeyUsage",
            "Tell which permissions anybody's access key used, where", may_read("access-keys"))),
    };
}

} // namespace claviger
