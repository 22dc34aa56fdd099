// SPDX-License-Identifier: Apache-2.0
// Service accounts (contract 2.1), and their older spelling, apps (2.4): the same objects under
// other names.
#include <algorithm>

#include "api/key_limits.h"
#include "api/named_keys.h"
#include "api/resources.h"

namespace claviger {
namespace {

constexpr std::size_t most_at_once = 1'000; // accounts; a longer list is streamed

struct ServiceAccountView {
    std::string id, name, client_id;
    std::string tenant_id;
    std::string created_by;
    Nullable<Timestamp> created_at, updated_at;
    bool enabled = true;
    Nullable<Timestamp> last_login;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountView, (),
                      (id, name, client_id, tenant_id, created_by, created_at, updated_at, enabled,
                       last_login))

ServiceAccountView view_of(const LastLogins& last_logins, TenantId tenant,
                           const AccountEntry& entry) {
    return {entry.id.text(),
            entry.name,
            entry.name,
            std::to_string(number_of(tenant)),
            *entry.created_by,
            {entry.created_at},
            {entry.updated_at},
            entry.enabled,
            {last_logins.latest(entry.id, entry.last_login)}};
}

/// Ids are opaque strings: a malformed one names nothing.
template <class Item>
Result<Uuid> account_id(const Item& item) {
    const auto id = Uuid::parse(item.id());
    if (!id) {
        return fail(ErrorCode::not_found, "no service account has this serviceAccountId");
    }
    return *id;
}

/// All accounts in the order of their creation.
std::vector<const AccountEntry*> sorted_accounts(const AccountTable& accounts) {
    std::vector<const AccountEntry*> entries;
    entries.reserve(accounts.size());
    accounts.for_each([&](const AccountEntry& entry) { entries.push_back(&entry); });
    std::ranges::sort(entries, [](const AccountEntry* a, const AccountEntry* b) {
        return std::tie(a->created_at, a->id) < std::tie(b->created_at, b->id);
    });
    return entries;
}

struct ServiceAccountsRequest {
    std::optional<std::string> client_id; // exactly
};
BOOST_DESCRIBE_STRUCT(ServiceAccountsRequest, (), (client_id))

std::vector<const AccountEntry*> chosen_accounts(const AccountTable& accounts,
                                                 const ServiceAccountsRequest& request) {
    if (!request.client_id) {
        return sorted_accounts(accounts);
    }
    const AccountEntry* entry = accounts.find_by_name(*request.client_id);
    return entry == nullptr ? std::vector<const AccountEntry*>() : std::vector{entry};
}

/// There are no pages: a list of a million must not be a text of half a gigabyte.
Result<Streamed<std::vector<ServiceAccountView>>>
list_service_accounts(Context& context, const ServiceAccountsRequest& request) {
    auto entries = chosen_accounts(context.state().accounts, request);
    const LastLogins& last_logins = context.services.last_logins;
    if (entries.size() <= most_at_once) {
        std::vector<ServiceAccountView> views;
        views.reserve(entries.size());
        for (const AccountEntry* entry : entries) {
            views.push_back(view_of(last_logins, context.caller.tenant(), *entry));
        }
        return {{std::move(views)}};
    }
    return {{stream_array([state = context.caller.state, &last_logins, entries = std::move(entries),
                           next = std::size_t{0}](JsonWriter& out) mutable -> Result<bool> {
        if (next == entries.size()) {
            return false;
        }
        encode(out, view_of(last_logins, state->tenant.id, *entries[next++]));
        return true;
    })}};
}

struct ServiceAccountCreationRequest {
    std::string name;
    std::optional<KeyLimits> limits;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountCreationRequest, (), (name, limits))

// --- the two spellings --------------------------------------------------------------------------

struct ServiceAccountPostResponse {
    std::string id, name, client_id, client_secret;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountPostResponse, (), (id, name, client_id, client_secret))

struct ServiceAccountRequest {
    std::string service_account_id;
    const std::string& id() const { return service_account_id; }
};
BOOST_DESCRIBE_STRUCT(ServiceAccountRequest, (), (service_account_id))

struct ServiceAccountPatchRequest : ServiceAccountRequest {
    bool enabled = true;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountPatchRequest, (), (service_account_id, enabled))

struct RegenerateServiceAccountSecretRequest : ServiceAccountRequest {
    std::optional<std::int64_t> overlap_seconds;
};
BOOST_DESCRIBE_STRUCT(RegenerateServiceAccountSecretRequest, (),
                      (service_account_id, overlap_seconds))

struct RegenerateServiceAccountSecretResponse {
    std::string client_secret;
};
BOOST_DESCRIBE_STRUCT(RegenerateServiceAccountSecretResponse, (), (client_secret))

struct AppPostResponse {
    std::string id, name, client_id, secret;
};
BOOST_DESCRIBE_STRUCT(AppPostResponse, (), (id, name, client_id, secret))

struct AppRequest {
    std::string app_id;
    const std::string& id() const { return app_id; }
};
BOOST_DESCRIBE_STRUCT(AppRequest, (), (app_id))

struct AppPatchRequest : AppRequest {
    bool enabled = true;
};
BOOST_DESCRIBE_STRUCT(AppPatchRequest, (), (app_id, enabled))

struct RegenerateAppSecretRequest : AppRequest {
    std::optional<std::int64_t> overlap_seconds;
};
BOOST_DESCRIBE_STRUCT(RegenerateAppSecretRequest, (), (app_id, overlap_seconds))

struct RegenerateAppSecretResponse {
    std::string secret;
};
BOOST_DESCRIBE_STRUCT(RegenerateAppSecretResponse, (), (secret))

// --- handlers -----------------------------------------------------------------------------------

template <class Made>
Result<Made> create_service_account(Context& context,
                                    const ServiceAccountCreationRequest& request) {
    const NewServiceAccount made = TRY(context.services.service_accounts.create(
        context.caller, request.name, limits_text(request.limits)));
    return Made{made.account.id.value.text(), made.account.name, made.account.name,
                std::string(made.client_secret.reveal())};
}

template <class Item>
Result<ServiceAccountView> read_service_account(Context& context, const Item& request) {
    const AccountEntry* entry = TRY(find_account(context, request.id()));
    return view_of(context.services.last_logins, context.caller.tenant(), *entry);
}

template <class Patch>
Result<Empty> update_service_account(Context& context, const Patch& request) {
    const Uuid id = TRY(account_id(request));
    TRY(context.services.service_accounts.set_enabled(context.caller, id, request.enabled));
    return Empty{};
}

template <class Item>
Result<Empty> delete_service_account(Context& context, const Item& request) {
    const Uuid id = TRY(account_id(request));
    TRY(context.services.service_accounts.remove(context.caller, id));
    return Empty{};
}

template <class Replacement, class NewSecret>
Result<NewSecret> regenerate_service_account_secret(Context& context, const Replacement& request) {
    const Uuid id = TRY(account_id(request));
    const Secret secret = TRY(context.services.key_secrets.replace(
        context.caller, {PrincipalKind::service_account, id}, request.overlap_seconds.value_or(0)));
    return NewSecret{std::string(secret.reveal())};
}

// --- routes -------------------------------------------------------------------------------------

/// The names in which the two spellings differ.
struct Current {
    using Item = ServiceAccountRequest;
    using Patch = ServiceAccountPatchRequest;
    using Made = ServiceAccountPostResponse;
    using Replacement = RegenerateServiceAccountSecretRequest;
    using NewSecret = RegenerateServiceAccountSecretResponse;
    static constexpr std::string_view collection = "/api/v1/service-accounts";
    static constexpr std::string_view item = "/api/v1/service-accounts/{serviceAccountId}";
    static constexpr std::string_view secret = "/api/v1/service-accounts/{serviceAccountId}/secret";
    static constexpr std::string_view tag = "service accounts";
    static constexpr std::string_view list_id = "listServiceAccounts";
    static constexpr std::string_view create_id = "createServiceAccount";
    static constexpr std::string_view read_id = "getServiceAccount";
    static constexpr std::string_view update_id = "updateServiceAccount";
    static constexpr std::string_view delete_id = "deleteServiceAccount";
    static constexpr std::string_view regenerate_id = "regenerateServiceAccountSecret";
    static constexpr bool deprecated = false;
};

struct Older {
    using Item = AppRequest;
    using Patch = AppPatchRequest;
    using Made = AppPostResponse;
    using Replacement = RegenerateAppSecretRequest;
    using NewSecret = RegenerateAppSecretResponse;
    static constexpr std::string_view collection = "/api/v1/apps";
    static constexpr std::string_view item = "/api/v1/apps/{appId}";
    static constexpr std::string_view secret = "/api/v1/apps/{appId}/secret";
    static constexpr std::string_view tag = "apps";
    static constexpr std::string_view list_id = "listApps";
    static constexpr std::string_view create_id = "createApp";
    static constexpr std::string_view read_id = "getApp";
    static constexpr std::string_view update_id = "updateApp";
    static constexpr std::string_view delete_id = "deleteApp";
    static constexpr std::string_view regenerate_id = "regenerateAppSecret";
    static constexpr bool deprecated = true;
};

template <class Spelling>
constexpr Operation operation(HttpMethod method, std::string_view path, std::string_view id,
                              std::string_view summary, Action action, int success = 200) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = Spelling::tag,
            .summary = summary,
            .access = Access::permission("service-account", action, EvaluatedAt::tenant),
            .success = success,
            .deprecated = Spelling::deprecated};
}

template <class S>
Routes routes_of() {
    using Item = typename S::Item;
    Operation read = operation<S>(HttpMethod::get, S::item, S::read_id, "Read one service account",
                                  Action::read);
    read.runs_on = RunsOn::inline_thread;
    return {
        route<list_service_accounts>(operation<S>(HttpMethod::get, S::collection, S::list_id,
                                                  "List all service accounts", Action::read)),
        route<create_service_account<typename S::Made>>(operation<S>(
            HttpMethod::post, S::collection, S::create_id,
            "Create a service account; its secret is shown only here", Action::create, 201)),
        route<read_service_account<Item>>(read),
        route<update_service_account<typename S::Patch>>(
            operation<S>(HttpMethod::patch, S::item, S::update_id,
                         "Enable or disable a service account", Action::update)),
        route<delete_service_account<Item>>(
            operation<S>(HttpMethod::remove, S::item, S::delete_id,
                         "Delete a service account and its access rules", Action::remove, 204)),
        route<regenerate_service_account_secret<typename S::Replacement, typename S::NewSecret>>(
            operation<S>(HttpMethod::post, S::secret, S::regenerate_id,
                         "Replace the secret; the old one and its tokens end at once, or the old "
                         "one after an overlap",
                         Action::update)),
    };
}

} // namespace

Routes service_account_routes() {
    Routes routes = routes_of<Current>();
    const Routes older = routes_of<Older>();
    routes.insert(routes.end(), older.begin(), older.end());
    return routes;
}

} // namespace claviger
