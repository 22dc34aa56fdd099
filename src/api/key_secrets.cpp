// SPDX-License-Identifier: Apache-2.0
// The secrets of a key: listed with how each was used last, added, retired. Three places, the same
// operations: service accounts, the caller's access keys, and the key that the caller's own token
// was got with, so that a client can rotate itself.
#include <algorithm>
#include <array>

#include "api/named_keys.h"
#include "api/resources.h"

namespace claviger {
namespace {

constexpr std::int64_t usual_unused_seconds = 86'400;

// --- what all three places share ----------------------------------------------------------------

struct SecretUseView {
    Timestamp at;
    std::string source_ip, user_agent;
    std::int64_t count_today = 0; // UTC
};
BOOST_DESCRIBE_STRUCT(SecretUseView, (), (at, source_ip, user_agent, count_today))

struct KeySecretView {
    std::string id;
    std::string state; // live, expired, retired, frozen
    Timestamp created_at;
    Nullable<Timestamp> expires_at, retired_at;
    std::optional<std::int64_t> drain_seconds;
    Nullable<SecretUseView> last_used;
};
BOOST_DESCRIBE_STRUCT(KeySecretView, (),
                      (id, state, created_at, expires_at, retired_at, drain_seconds, last_used))

struct KeySecretsResponse {
    std::vector<KeySecretView> secrets;
};
BOOST_DESCRIBE_STRUCT(KeySecretsResponse, (), (secrets))

struct NewKeySecretResponse {
    std::string id, client_id, client_secret;
    Timestamp created_at;
    Nullable<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(NewKeySecretResponse, (),
                      (id, client_id, client_secret, created_at, expires_at))

struct RetiredSecretsResponse {
    std::vector<std::string> retired;
};
BOOST_DESCRIBE_STRUCT(RetiredSecretsResponse, (), (retired))

struct NewSecretFields {
    std::optional<Timestamp> expires_at;
    std::optional<std::int64_t> drain_seconds;
};
struct RetirementFields {
    std::optional<std::string> secret_id;
    std::optional<std::int64_t> unused_for_seconds;
    std::optional<bool> force;
};

std::string_view name_of(const ClientSecret& secret, Timestamp now) {
    static constexpr std::array<std::string_view, 3> names{"live", "expired", "retired"};
    return secret.frozen ? "frozen" : names[static_cast<std::size_t>(state_of(secret, now))];
}

SecretUseView view_of(const SecretUse& use, Timestamp now) {
    const bool is_today = use.day == day_of(now);
    return {use.at, use.source_ip, use.user_agent,
            is_today ? static_cast<std::int64_t>(use.count) : 0};
}

Result<KeySecretsResponse> list(const Context& context, const KeyName& key) {
    const auto secrets = TRY(context.services.key_secrets.all(context.caller, key));
    const auto uses = TRY(context.services.key_secrets.uses(context.caller, key));
    const Timestamp now = context.services.clock.now();
    KeySecretsResponse answer;
    for (const ClientSecret& secret : secrets) {
        KeySecretView view{secret.id.text(),
                           std::string(name_of(secret, now)),
                           secret.created_at,
                           {secret.expires_at},
                           {secret.retired_at},
                           {},
                           {}};
        if (secret.drain) {
            view.drain_seconds = secret.drain->seconds;
        }
        const auto use = std::ranges::find(uses, secret.id, &SecretUse::secret);
        if (use != uses.end()) {
            view.last_used.value = view_of(*use, now);
        }
        answer.secrets.push_back(std::move(view));
    }
    return answer;
}

std::string client_id_of(const TenantState& state, const KeyName& key) {
    if (key.kind == PrincipalKind::user) {
        const AccessKeyEntry* entry = state.access_keys.find(key.id);
        return entry != nullptr ? entry->client_id : std::string();
    }
    const AccountEntry* account = state.accounts.find(key.id);
    return account != nullptr ? account->name : std::string();
}

Result<NewKeySecretResponse> add(const Context& context, const KeyName& key,
                                 const NewSecretFields& fields) {
    const NewSecret made = TRY(context.services.key_secrets.add(
        context.caller, key, {fields.expires_at, fields.drain_seconds}));
    return NewKeySecretResponse{made.row.id.text(),
                                client_id_of(context.state(), key),
                                std::string(made.text.reveal()),
                                made.row.created_at,
                                {made.row.expires_at}};
}

Result<RetiredSecretsResponse> retire(const Context& context, const KeyName& key,
                                      const RetirementFields& fields) {
    RetirementOptions options;
    if (fields.secret_id) {
        options.secret = Uuid::parse(*fields.secret_id);
        if (!options.secret) {
            return fail(ErrorCode::not_found, "the key has no secret with this secretId");
        }
    }
    options.unused_for_seconds = fields.unused_for_seconds.value_or(usual_unused_seconds);
    options.force = fields.force.value_or(false);
    RetiredSecretsResponse answer;
    for (const Uuid& id : TRY(context.services.key_secrets.retire(context.caller, key, options))) {
        answer.retired.push_back(id.text());
    }
    return answer;
}

struct RestorationFields {
    std::string secret_id;
};

Result<Empty> restore(const Context& context, const KeyName& key, const RestorationFields& fields) {
    const auto secret = Uuid::parse(fields.secret_id);
    if (!secret) {
        return fail(ErrorCode::not_found, "the key has no secret with this secretId");
    }
    TRY(context.services.key_secrets.restore(context.caller, key, *secret));
    return Empty{};
}

// --- the three places ---------------------------------------------------------------------------

struct AccountSecretsRequest {
    std::string service_account_id;
    Result<KeyName> key(const Context& context) const {
        const AccountEntry* account = TRY(find_account(context, service_account_id));
        return KeyName{PrincipalKind::service_account, account->id};
    }
};
BOOST_DESCRIBE_STRUCT(AccountSecretsRequest, (), (service_account_id))
struct AccountSecretCreationRequest : AccountSecretsRequest, NewSecretFields {};
BOOST_DESCRIBE_STRUCT(AccountSecretCreationRequest, (),
                      (service_account_id, expires_at, drain_seconds))
struct AccountSecretRetirementRequest : AccountSecretsRequest, RetirementFields {};
BOOST_DESCRIBE_STRUCT(AccountSecretRetirementRequest, (),
                      (service_account_id, secret_id, unused_for_seconds, force))

struct AccountSecretRestorationRequest : AccountSecretsRequest, RestorationFields {};
BOOST_DESCRIBE_STRUCT(AccountSecretRestorationRequest, (), (service_account_id, secret_id))

struct AccessKeySecretsRequest {
    std::string access_key_id;
    Result<KeyName> key(const Context& context) const {
        const AccessKeyEntry* found = TRY(find_access_key(context, access_key_id, KeyReach::own));
        return KeyName{PrincipalKind::user, found->id.value, KeyReach::own};
    }
};
BOOST_DESCRIBE_STRUCT(AccessKeySecretsRequest, (), (access_key_id))
struct AccessKeySecretCreationRequest : AccessKeySecretsRequest, NewSecretFields {};
BOOST_DESCRIBE_STRUCT(AccessKeySecretCreationRequest, (),
                      (access_key_id, expires_at, drain_seconds))
struct AccessKeySecretRetirementRequest : AccessKeySecretsRequest, RetirementFields {};
BOOST_DESCRIBE_STRUCT(AccessKeySecretRetirementRequest, (),
                      (access_key_id, secret_id, unused_for_seconds, force))

struct AccessKeySecretRestorationRequest : AccessKeySecretsRequest, RestorationFields {};
BOOST_DESCRIBE_STRUCT(AccessKeySecretRestorationRequest, (), (access_key_id, secret_id))

struct OwnSecretsRequest {
    Result<KeyName> key(const Context& context) const { return own_key(context.caller); }
};
BOOST_DESCRIBE_STRUCT(OwnSecretsRequest, (), ())
struct OwnSecretCreationRequest : OwnSecretsRequest, NewSecretFields {};
BOOST_DESCRIBE_STRUCT(OwnSecretCreationRequest, (), (expires_at, drain_seconds))
struct OwnSecretRetirementRequest : OwnSecretsRequest, RetirementFields {};
BOOST_DESCRIBE_STRUCT(OwnSecretRetirementRequest, (), (secret_id, unused_for_seconds, force))

/// Who has signed in has no key: there is nothing to list, and nothing to retire.
template <class Request>
bool asks_without_key(const Context& context) {
    return std::is_base_of_v<OwnSecretsRequest, Request> && !own_key(context.caller);
}

template <class Request>
Result<KeySecretsResponse> list_secrets(Context& context, const Request& request) {
    if (asks_without_key<Request>(context)) {
        return KeySecretsResponse{};
    }
    return list(context, TRY(request.key(context)));
}
template <class Request>
Result<NewKeySecretResponse> add_secret(Context& context, const Request& request) {
    return add(context, TRY(request.key(context)), request);
}
template <class Request>
Result<RetiredSecretsResponse> retire_secrets(Context& context, const Request& request) {
    if (asks_without_key<Request>(context) && !request.secret_id) {
        return RetiredSecretsResponse{};
    }
    return retire(context, TRY(request.key(context)), request);
}

template <class Request>
Result<Empty> restore_secret(Context& context, const Request& request) {
    return restore(context, TRY(request.key(context)), request);
}

// --- routes -------------------------------------------------------------------------------------

constexpr Operation operation(HttpMethod method, std::string_view path, std::string_view id,
                              std::string_view summary, Access access, int success = 200) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = "key secrets",
            .summary = summary,
            .access = access,
            .success = success,
            .request_class = RequestClass::administration};
}

constexpr Access may(Action action) {
    return Access::permission("service-account", action, EvaluatedAt::tenant);
}

} // namespace

Routes key_secret_routes() {
    constexpr std::string_view of_account = "/api/v1/service-accounts/{serviceAccountId}/secrets";
    constexpr std::string_view end_of_account =
        "/api/v1/service-accounts/{serviceAccountId}/secrets/retire";
    constexpr std::string_view of_key = "/api/v1/access-keys/{accessKeyId}/secrets";
    constexpr std::string_view end_of_key = "/api/v1/access-keys/{accessKeyId}/secrets/retire";
    constexpr std::string_view own = "/api/v1/me/secrets";
    constexpr std::string_view end_of_own = "/api/v1/me/secrets/retire";
    constexpr Access caller = Access::authenticated();
    return {
        route<list_secrets<AccountSecretsRequest>>(
            operation(HttpMethod::get, of_account, "listServiceAccountSecrets",
                      "List the secrets of a service account, and how each was used last",
                      may(Action::read))),
        route<add_secret<AccountSecretCreationRequest>>(
            operation(HttpMethod::post, of_account, "addServiceAccountSecret",
                      "Add a secret beside those that are good; it is shown only here",
                      may(Action::update), 201)),
        route<retire_secrets<AccountSecretRetirementRequest>>(
            operation(HttpMethod::post, end_of_account, "retireServiceAccountSecrets",
                      "Retire one secret, or all but the newest, unless it was used lately",
                      may(Action::update))),
        route<restore_secret<AccountSecretRestorationRequest>>(operation(
            HttpMethod::post, "/api/v1/service-accounts/{serviceAccountId}/secrets/restore",
            "restoreServiceAccountSecret", "Make a frozen secret good again", may(Action::update),
            204)),
        route<list_secrets<AccessKeySecretsRequest>>(operation(
            HttpMethod::get, of_key, "listAccessKeySecrets",
            "List the secrets of one of the caller's access keys, and how each was used last",
            caller)),
        route<add_secret<AccessKeySecretCreationRequest>>(operation(
            HttpMethod::post, of_key, "addAccessKeySecret",
            "Add a secret to one of the caller's access keys; it is shown only here", caller, 201)),
        route<retire_secrets<AccessKeySecretRetirementRequest>>(operation(
            HttpMethod::post, end_of_key, "retireAccessKeySecrets",
            "Retire one secret, or all but the newest, unless it was used lately", caller)),
        route<restore_secret<AccessKeySecretRestorationRequest>>(
            operation(HttpMethod::post, "/api/v1/access-keys/{accessKeyId}/secrets/restore",
                      "restoreAccessKeySecret", "Make a frozen secret good again", caller, 204)),
        route<list_secrets<OwnSecretsRequest>>(
            operation(HttpMethod::get, own, "listOwnSecrets",
                      "List the secrets of the key that the token was got with", caller)),
        route<add_secret<OwnSecretCreationRequest>>(
            operation(HttpMethod::post, own, "addOwnSecret",
                      "Add a secret to the key that the token was got with; it is shown only here",
                      caller, 201)),
        route<retire_secrets<OwnSecretRetirementRequest>>(operation(
            HttpMethod::post, end_of_own, "retireOwnSecrets",
            "Retire a secret of the key that the token was got with, unless it was used lately",
            caller)),
    };
}

} // namespace claviger
