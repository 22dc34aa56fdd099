// SPDX-License-Identifier: Apache-2.0
// Access keys of the caller and of all users (contract 2.2, 2.3), and their older spelling, user
// applications (2.4): the same objects under other names.
#include <algorithm>

#include "api/key_limits.h"
#include "api/named_keys.h"
#include "api/resources.h"
#include "base/text.h"

namespace claviger {
namespace {

// --- what both spellings share ------------------------------------------------------------------

struct AccessKeyView {
    std::string id, name, client_id;
    Nullable<Timestamp> created_at, last_login;
};
BOOST_DESCRIBE_STRUCT(AccessKeyView, (), (id, name, client_id, created_at, last_login))

struct AccessKeyAdministrationView : AccessKeyView {
    std::string created_by;
};
BOOST_DESCRIBE_STRUCT(AccessKeyAdministrationView, (),
                      (id, name, client_id, created_at, last_login, created_by))

struct AccessKeyCreationRequest {
    std::string name;
    std::optional<KeyLimits> limits;
};
BOOST_DESCRIBE_STRUCT(AccessKeyCreationRequest, (), (name, limits))

struct AccessKeySecretResponse {
    std::string client_secret;
};
BOOST_DESCRIBE_STRUCT(AccessKeySecretResponse, (), (client_secret))

struct AccessKeysAdministrationRequest {
    std::optional<std::string> client_id, created_by;
};
BOOST_DESCRIBE_STRUCT(AccessKeysAdministrationRequest, (), (client_id, created_by))

// --- the two spellings --------------------------------------------------------------------------

struct AccessKeyRequest {
    std::string access_key_id;
    const std::string& id() const { return access_key_id; }
};
BOOST_DESCRIBE_STRUCT(AccessKeyRequest, (), (access_key_id))

struct RegenerateAccessKeySecretRequest : AccessKeyRequest {
    std::optional<std::int64_t> overlap_seconds;
};
BOOST_DESCRIBE_STRUCT(RegenerateAccessKeySecretRequest, (), (access_key_id, overlap_seconds))

struct AccessKeyPostResponse {
    std::string id, client_id, name, client_secret;
    Nullable<Timestamp> created_at;
};
BOOST_DESCRIBE_STRUCT(AccessKeyPostResponse, (), (id, client_id, name, client_secret, created_at))

struct AccessKeysResponse {
    std::vector<AccessKeyView> access_keys;
};
BOOST_DESCRIBE_STRUCT(AccessKeysResponse, (), (access_keys))

struct AccessKeysAdministrationResponse {
    std::vector<AccessKeyAdministrationView> access_keys;
};
BOOST_DESCRIBE_STRUCT(AccessKeysAdministrationResponse, (), (access_keys))

struct UserAppRequest {
    std::string app_id;
    const std::string& id() const { return app_id; }
};
BOOST_DESCRIBE_STRUCT(UserAppRequest, (), (app_id))

struct RegenerateUserAppSecretRequest : UserAppRequest {
    std::optional<std::int64_t> overlap_seconds;
};
BOOST_DESCRIBE_STRUCT(RegenerateUserAppSecretRequest, (), (app_id, overlap_seconds))

struct UserAppPostResponse {
    std::string id, client_id, name, secret;
    Nullable<Timestamp> created_at;
};
BOOST_DESCRIBE_STRUCT(UserAppPostResponse, (), (id, client_id, name, secret, created_at))

// --- handlers -----------------------------------------------------------------------------------

/// Ids are opaque strings: a malformed one names nothing.
template <class Item>
Result<Uuid> key_id(const Item& item) {
    const auto id = Uuid::parse(item.id());
    if (!id) {
        return fail(ErrorCode::not_found, "no access key has this id");
    }
    return *id;
}

AccessKeyView view_of(const Context& context, const AccessKey& key) {
    return {key.id.value.text(),
            key.name,
            key.client_id,
            {key.created_at},
            {context.services.last_logins.latest(key.id.value, key.last_login)}};
}

void sort_by_creation(std::vector<const AccessKey*>& keys) {
    std::ranges::sort(keys, [](const AccessKey* a, const AccessKey* b) {
        return std::tie(a->created_at, a->id.value) < std::tie(b->created_at, b->id.value);
    });
}

template <class List>
Result<List> list_own_keys(Context& context, const NoFields&) {
    std::vector<const AccessKey*> keys;
    if (context.caller.principal.kind == PrincipalKind::user) {
        context.state().access_keys.for_each_of(
            context.caller.principal.id, [&](const AccessKey& key) { keys.push_back(&key); });
    }
    sort_by_creation(keys);
    std::vector<AccessKeyView> views;
    views.reserve(keys.size());
    for (const AccessKey* key : keys) {
        views.push_back(view_of(context, *key));
    }
    return List{std::move(views)};
}

template <class Made>
Result<Made> create_key(Context& context, const AccessKeyCreationRequest& request) {
    const NewAccessKey made = TRY(context.services.access_keys.create(context.caller, request.name,
                                                                      limits_text(request.limits)));
    return Made{made.key.id.value.text(),
                made.key.client_id,
                made.key.name,
                std::string(made.client_secret.reveal()),
                {made.key.created_at}};
}

template <class Item>
Result<AccessKeyView> read_key(Context& context, const Item& request) {
    const AccessKey* key = TRY(find_access_key(context, request.id(), KeyReach::own));
    return view_of(context, *key);
}

template <class Replacement>
Result<AccessKeySecretResponse> regenerate_key_secret(Context& context,
                                                      const Replacement& request) {
    const Uuid id = TRY(key_id(request));
    const Secret secret = TRY(context.services.key_secrets.replace(
        context.caller, {PrincipalKind::user, id, KeyReach::own},
        request.overlap_seconds.value_or(0)));
    return AccessKeySecretResponse{std::string(secret.reveal())};
}

template <class Item, KeyReach reach>
Result<Empty> delete_key(Context& context, const Item& request) {
    const Uuid id = TRY(key_id(request));
    TRY(context.services.access_keys.remove(context.caller, id, reach));
    return Empty{};
}

/// The keys that both filters let pass, found by the one that names fewer.
std::vector<const AccessKey*> filtered_keys(const TenantState& state,
                                            const AccessKeysAdministrationRequest& request) {
    const User* owner =
        request.created_by ? state.users.find_by_email(ascii_lower(*request.created_by)) : nullptr;
    std::vector<const AccessKey*> keys;
    const auto offer = [&](const AccessKey& key) {
        if (!request.created_by || (owner != nullptr && owner->id.value == key.user)) {
            keys.push_back(&key);
        }
    };
    if (request.client_id) {
        if (const AccessKey* key = state.access_keys.find_by_client_id(*request.client_id)) {
            offer(*key);
        }
    } else if (owner != nullptr) {
        state.access_keys.for_each_of(owner->id.value, offer);
    } else {
        state.access_keys.for_each(offer);
    }
    return keys;
}

template <class List>
Result<List> list_all_keys(Context& context, const AccessKeysAdministrationRequest& request) {
    auto keys = filtered_keys(context.state(), request);
    sort_by_creation(keys);
    std::vector<AccessKeyAdministrationView> views;
    views.reserve(keys.size());
    for (const AccessKey* key : keys) {
        const User* owner = context.state().users.find(key->user);
        views.push_back(
            {view_of(context, *key), owner != nullptr ? owner->email : key->user.text()});
    }
    return List{std::move(views)};
}

// --- routes -------------------------------------------------------------------------------------

/// The names in which the two spellings differ.
struct Current {
    using Item = AccessKeyRequest;
    using Replacement = RegenerateAccessKeySecretRequest;
    using List = AccessKeysResponse;
    using AdministrationList = AccessKeysAdministrationResponse;
    using Made = AccessKeyPostResponse;
    static constexpr std::string_view collection = "/api/v1/access-keys";
    static constexpr std::string_view item = "/api/v1/access-keys/{accessKeyId}";
    static constexpr std::string_view secret = "/api/v1/access-keys/{accessKeyId}/secret";
    static constexpr std::string_view all = "/api/v1/administration/access-keys";
    static constexpr std::string_view any = "/api/v1/administration/access-keys/{accessKeyId}";
    static constexpr std::string_view list_id = "listAccessKeys";
    static constexpr std::string_view create_id = "createAccessKey";
    static constexpr std::string_view read_id = "getAccessKey";
    static constexpr std::string_view delete_id = "deleteAccessKey";
    static constexpr std::string_view regenerate_id = "regenerateAccessKeySecret";
    static constexpr std::string_view list_all_id = "listAllAccessKeys";
    static constexpr std::string_view delete_any_id = "deleteAnyAccessKey";
    static constexpr bool deprecated = false;
};

struct Older {
    using Item = UserAppRequest;
    using Replacement = RegenerateUserAppSecretRequest;
    using List = std::vector<AccessKeyView>;
    using AdministrationList = std::vector<AccessKeyAdministrationView>;
    using Made = UserAppPostResponse;
    static constexpr std::string_view collection = "/api/v1/user-applications";
    static constexpr std::string_view item = "/api/v1/user-applications/{appId}";
    static constexpr std::string_view secret = "/api/v1/user-applications/{appId}/secret";
    static constexpr std::string_view all = "/api/v1/administration/user-applications";
    static constexpr std::string_view any = "/api/v1/administration/user-applications/{appId}";
    static constexpr std::string_view list_id = "listUserApplications";
    static constexpr std::string_view create_id = "createUserApplication";
    static constexpr std::string_view read_id = "getUserApplication";
    static constexpr std::string_view delete_id = "deleteUserApplication";
    static constexpr std::string_view regenerate_id = "regenerateUserApplicationSecret";
    static constexpr std::string_view list_all_id = "listAllUserApplications";
    static constexpr std::string_view delete_any_id = "deleteAnyUserApplication";
    static constexpr bool deprecated = true;
};

template <class Spelling>
Operation operation(HttpMethod method, std::string_view path, std::string_view id,
                    std::string_view summary, Access access, int success = 200) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = Spelling::deprecated ? "user applications" : "access keys",
            .summary = summary,
            .access = access,
            .success = success,
            .deprecated = Spelling::deprecated};
}

template <class S>
Routes routes_of() {
    using Item = typename S::Item;
    constexpr Access own = Access::authenticated();
    const auto may = [](Action action) {
        return Access::permission("access-keys", action, EvaluatedAt::tenant);
    };
    return {
        route<list_own_keys<typename S::List>>(operation<S>(
            HttpMethod::get, S::collection, S::list_id, "List the caller's access keys", own)),
        route<create_key<typename S::Made>>(operation<S>(
            HttpMethod::post, S::collection, S::create_id,
            "Make an access key of the caller; its secret is shown only here", own, 201)),
        route<read_key<Item>>(operation<S>(HttpMethod::get, S::item, S::read_id,
                                           "Read one of the caller's access keys", own)),
        route<delete_key<Item, KeyReach::own>>(operation<S>(
            HttpMethod::remove, S::item, S::delete_id,
            "Delete one of the caller's access keys; its tokens end at once", own, 204)),
        route<regenerate_key_secret<typename S::Replacement>>(operation<S>(
            HttpMethod::post, S::secret, S::regenerate_id,
            "Replace the secret; the old one and its tokens end at once, or the old one after an "
            "overlap",
            own)),
        route<list_all_keys<typename S::AdministrationList>>(
            operation<S>(HttpMethod::get, S::all, S::list_all_id,
                         "List the access keys of all users", may(Action::read))),
        route<delete_key<Item, KeyReach::tenant>>(operation<S>(
            HttpMethod::remove, S::any, S::delete_any_id,
            "Delete anybody's access key; its tokens end at once", may(Action::remove), 204)),
    };
}

} // namespace

Routes access_key_routes() {
    Routes routes = routes_of<Current>();
    const Routes older = routes_of<Older>();
    routes.insert(routes.end(), older.begin(), older.end());
    return routes;
}

} // namespace claviger
