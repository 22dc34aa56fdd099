// SPDX-License-Identifier: Apache-2.0
// The keys that expire soon, as far as the caller may list them.
#include "auth/expiring_keys.h"

#include "api/resources.h"
#include "base/time_span.h"

namespace claviger {
namespace {

struct TimeSpan {
    std::int64_t seconds = 0;
    static Result<TimeSpan> decode(std::string_view text) {
        const auto seconds = parse_time_span(text);
        if (!seconds) {
            return fail(ErrorCode::invalid_request,
                        "must be a time span such as 12h or 30d, at most 3650d");
        }
        return TimeSpan{*seconds};
    }
    std::string wire() const { return std::to_string(seconds) + "s"; }
    static json::object schema() {
        return {{"type", "string"}, {"pattern", "^[1-9][0-9]*[smhd]$"}};
    }
};

struct ExpiringKeysRequest {
    std::optional<TimeSpan> within; // as warned of, where it is left out
};
BOOST_DESCRIBE_STRUCT(ExpiringKeysRequest, (), (within))

struct ExpiringKeyView {
    std::string type; // "service-account" or "access-key"
    std::string id, name, client_id;
    std::optional<std::string> created_by; // the owner of an access key
    Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(ExpiringKeyView, (), (type, id, name, client_id, created_by, expires_at))

struct ExpiringKeysResponse {
    std::vector<ExpiringKeyView> keys;
};
BOOST_DESCRIBE_STRUCT(ExpiringKeysResponse, (), (keys))

/// Service accounts and everybody's access keys for those who may list them, the own ones for all.
Result<ExpiringKeysResponse> list_expiring_keys(Context& context,
                                                const ExpiringKeysRequest& request) {
    const auto may_list = [&](std::string_view type) {
        return context.may_use({*find_resource_type(type), Action::read}, context.access().root());
    };
    const bool sees_accounts = may_list("service-account");
    const bool sees_keys = may_list("access-keys");
    const Principal& caller = context.caller.principal;
    const std::int64_t within = request.within
                                    ? request.within->seconds
                                    : context.services.settings.key_expiry_warning_seconds;
    ExpiringKeysResponse response;
    for (const ExpiringKey& key :
         find_expiring_keys(context.state(), context.services.clock.now(), within)) {
        const bool is_account = key.kind == PrincipalKind::service_account;
        const bool is_own = caller.kind == PrincipalKind::user && key.user == caller.id;
        if (!(is_account ? sees_accounts : sees_keys || is_own)) {
            continue;
        }
        ExpiringKeyView view{is_account ? "service-account" : "access-key",
                             key.id.text(),
                             key.name,
                             key.client_id,
                             std::nullopt,
                             key.expires_at};
        if (const User* owner = key.user ? context.state().users.find(*key.user) : nullptr) {
            view.created_by = owner->email;
        }
        response.keys.push_back(std::move(view));
    }
    return response;
}

} // namespace

Routes expiring_key_routes() {
    return {
        route<list_expiring_keys>({.method = HttpMethod::get,
                                   .path = "/api/v1/expiring-keys",
                                   .id = "listExpiringKeys",
                                   .tag = "key limits",
                                   .summary = "List the keys that expire soon, of those that the "
                                              "caller may list",
                                   .access = Access::authenticated()}),
    };
}

} // namespace claviger
