// SPDX-License-Identifier: Apache-2.0
// Service accounts (contract 2.1).
#include <algorithm>

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

std::unexpected<Error> unknown_account() {
    return fail(ErrorCode::not_found, "no service account has this serviceAccountId");
}

/// Ids are opaque strings: a malformed one names nothing.
Result<Uuid> account_id(const std::string& text) {
    const auto id = Uuid::parse(text);
    if (!id) {
        return unknown_account();
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

/// There are no pages: a list of a million must not be a text of half a gigabyte.
Result<Streamed<std::vector<ServiceAccountView>>> list_service_accounts(Context& context,
                                                                        const NoFields&) {
    auto entries = sorted_accounts(context.state().accounts);
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
};
BOOST_DESCRIBE_STRUCT(ServiceAccountCreationRequest, (), (name))

struct ServiceAccountPostResponse {
    std::string id, name, client_id, client_secret;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountPostResponse, (), (id, name, client_id, client_secret))

Result<ServiceAccountPostResponse>
create_service_account(Context& context, const ServiceAccountCreationRequest& request) {
    const NewServiceAccount made =
        TRY(context.services.service_accounts.create(context.caller, request.name));
    return ServiceAccountPostResponse{made.account.id.value.text(), made.account.name,
                                      made.account.name, std::string(made.client_secret.reveal())};
}

struct ServiceAccountRequest {
    std::string service_account_id;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountRequest, (), (service_account_id))

Result<ServiceAccountView> read_service_account(Context& context,
                                                const ServiceAccountRequest& request) {
    const Uuid id = TRY(account_id(request.service_account_id));
    const AccountEntry* entry = context.state().accounts.find(id);
    if (entry == nullptr) {
        return unknown_account();
    }
    return view_of(context.services.last_logins, context.caller.tenant(), *entry);
}

struct ServiceAccountPatchRequest {
    std::string service_account_id;
    bool enabled = true;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountPatchRequest, (), (service_account_id, enabled))

Result<Empty> update_service_account(Context& context, const ServiceAccountPatchRequest& request) {
    const Uuid id = TRY(account_id(request.service_account_id));
    TRY(context.services.service_accounts.set_enabled(context.caller, id, request.enabled));
    return Empty{};
}

Result<Empty> delete_service_account(Context& context, const ServiceAccountRequest& request) {
    const Uuid id = TRY(account_id(request.service_account_id));
    TRY(context.services.service_accounts.remove(context.caller, id));
    return Empty{};
}

struct RegenerateServiceAccountSecretResponse {
    std::string client_secret;
};
BOOST_DESCRIBE_STRUCT(RegenerateServiceAccountSecretResponse, (), (client_secret))

Result<RegenerateServiceAccountSecretResponse>
regenerate_service_account_secret(Context& context, const ServiceAccountRequest& request) {
    const Uuid id = TRY(account_id(request.service_account_id));
    const Secret secret =
        TRY(context.services.service_accounts.regenerate_secret(context.caller, id));
    return RegenerateServiceAccountSecretResponse{std::string(secret.reveal())};
}

constexpr Access may(Action action) {
    return Access::permission("service-account", action, EvaluatedAt::tenant);
}

} // namespace

Routes service_account_routes() {
    constexpr std::string_view collection = "/api/v1/service-accounts";
    constexpr std::string_view item = "/api/v1/service-accounts/{serviceAccountId}";
    constexpr std::string_view secret = "/api/v1/service-accounts/{serviceAccountId}/secret";
    constexpr std::string_view tag = "service accounts";
    return {
        route<list_service_accounts>({.method = HttpMethod::get,
                                      .path = collection,
                                      .id = "listServiceAccounts",
                                      .tag = tag,
                                      .summary = "List all service accounts",
                                      .access = may(Action::read)}),
        route<create_service_account>(
            {.method = HttpMethod::post,
             .path = collection,
             .id = "createServiceAccount",
             .tag = tag,
             .summary = "Create a service account; its secret is shown only here",
             .access = may(Action::create),
             .success = 201}),
        route<read_service_account>({.method = HttpMethod::get,
                                     .path = item,
                                     .id = "getServiceAccount",
                                     .tag = tag,
                                     .summary = "Read one service account",
                                     .access = may(Action::read),
                                     .runs_on = RunsOn::inline_thread}),
        route<update_service_account>({.method = HttpMethod::patch,
                                       .path = item,
                                       .id = "updateServiceAccount",
                                       .tag = tag,
                                       .summary = "Enable or disable a service account",
                                       .access = may(Action::update)}),
        route<delete_service_account>({.method = HttpMethod::remove,
                                       .path = item,
                                       .id = "deleteServiceAccount",
                                       .tag = tag,
                                       .summary = "Delete a service account and its access rules",
                                       .access = may(Action::remove),
                                       .success = 204}),
        route<regenerate_service_account_secret>(
            {.method = HttpMethod::post,
             .path = secret,
             .id = "regenerateServiceAccountSecret",
             .tag = tag,
             .summary = "Replace the secret; the old one and its tokens end at once",
             .access = may(Action::update)}),
    };
}

} // namespace claviger
