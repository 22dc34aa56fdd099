// SPDX-License-Identifier: Apache-2.0
// The limits of service accounts and access keys: read and replaced.
#include "api/key_limits.h"
#include "api/named_keys.h"
#include "api/resources.h"

namespace claviger {
namespace {

// --- service accounts ---------------------------------------------------------------------------

struct ServiceAccountLimitsRequest {
    std::string service_account_id;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountLimitsRequest, (), (service_account_id))

struct ServiceAccountLimitsPutRequest {
    std::string service_account_id;
    WholeBody<KeyLimits> limits;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountLimitsPutRequest, (), (service_account_id, limits))

Result<KeyLimits> read_account_limits(Context& context,
                                      const ServiceAccountLimitsRequest& request) {
    const AccountEntry* entry = TRY(find_account(context, request.service_account_id));
    return read_key_limits(entry->limits.get());
}

Result<KeyLimits> replace_account_limits(Context& context,
                                         const ServiceAccountLimitsPutRequest& request) {
    const AccountEntry* entry = TRY(find_account(context, request.service_account_id));
    TRY(context.services.service_accounts.set_limits(context.caller, entry->id,
                                                     limits_text(request.limits.value)));
    return request.limits.value;
}

// --- access keys --------------------------------------------------------------------------------

struct AccessKeyLimitsRequest {
    std::string access_key_id;
};
BOOST_DESCRIBE_STRUCT(AccessKeyLimitsRequest, (), (access_key_id))

struct AccessKeyLimitsPutRequest {
    std::string access_key_id;
    WholeBody<KeyLimits> limits;
};
BOOST_DESCRIBE_STRUCT(AccessKeyLimitsPutRequest, (), (access_key_id, limits))

template <KeyReach reach>
Result<KeyLimits> read_access_key_limits(Context& context, const AccessKeyLimitsRequest& request) {
    const AccessKeyEntry* key = TRY(find_access_key(context, request.access_key_id, reach));
    return read_key_limits(key->bounds.get());
}

template <KeyReach reach>
Result<KeyLimits> replace_access_key_limits(Context& context,
                                            const AccessKeyLimitsPutRequest& request) {
    const AccessKeyEntry* key = TRY(find_access_key(context, request.access_key_id, reach));
    TRY(context.services.access_keys.set_limits(context.caller, key->id.value, reach,
                                                limits_text(request.limits.value)));
    return request.limits.value;
}

// --- routes -------------------------------------------------------------------------------------

constexpr std::string_view of_account = "/api/v1/service-accounts/{serviceAccountId}/limits";
constexpr std::string_view of_own_key = "/api/v1/access-keys/{accessKeyId}/limits";
constexpr std::string_view of_any_key = "/api/v1/administration/access-keys/{accessKeyId}/limits";

constexpr Operation operation(HttpMethod method, std::string_view path, std::string_view id,
                              std::string_view summary, Access access) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = "key limits",
            .summary = summary,
            .access = access};
}

constexpr Access may(std::string_view type, Action action) {
    return Access::permission(type, action, EvaluatedAt::tenant);
}

} // namespace

Routes key_limit_routes() {
    return {
        route<read_account_limits>(operation(HttpMethod::get, of_account, "getServiceAccountLimits",
                                             "Read what bounds a service account",
                                             may("service-account", Action::read))),
        route<replace_account_limits>(operation(
            HttpMethod::put, of_account, "replaceServiceAccountLimits",
            "Replace what bounds a service account; tokens that are out are bound as well",
            may("service-account", Action::update))),
        route<read_access_key_limits<KeyReach::own>>(
            operation(HttpMethod::get, of_own_key, "getAccessKeyLimits",
                      "Read what bounds one of the caller's access keys", Access::authenticated())),
        route<replace_access_key_limits<KeyReach::own>>(operation(
            HttpMethod::put, of_own_key, "replaceAccessKeyLimits",
            "Replace what bounds one of the caller's access keys; tokens that are out are bound as "
            "well",
            Access::authenticated())),
        route<read_access_key_limits<KeyReach::tenant>>(
            operation(HttpMethod::get, of_any_key, "getAnyAccessKeyLimits",
                      "Read what bounds anybody's access key", may("access-keys", Action::read))),
        // Who may end a key may bound it.
        route<replace_access_key_limits<KeyReach::tenant>>(operation(
            HttpMethod::put, of_any_key, "replaceAnyAccessKeyLimits",
            "Replace what bounds anybody's access key", may("access-keys", Action::remove))),
    };
}

} // namespace claviger
