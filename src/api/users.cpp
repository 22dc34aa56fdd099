// SPDX-License-Identifier: Apache-2.0
// Users (contract 2.5).
#include "api/basic_credentials.h"
#include "api/count.h"
#include "api/filter.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct UserView {
    std::string id, username, created_by;
    Nullable<Timestamp> created_at, updated_at, last_login;
    bool is_local = true;
    std::vector<std::string> groups;
};
BOOST_DESCRIBE_STRUCT(UserView, (),
                      (id, username, created_by, created_at, updated_at, last_login, is_local,
                       groups))

std::unexpected<Error> unknown_user() {
    return fail(ErrorCode::not_found, "no user has this userId");
}

/// Ids are opaque strings: a malformed one names nothing.
Result<Uuid> user_id(const std::string& text) {
    const auto id = Uuid::parse(text);
    if (!id) {
        return unknown_user();
    }
    return *id;
}

// --- list and count -----------------------------------------------------------------------------

/// A user while a list is walked: nothing is copied before it is shown.
struct ListedUser {
    const User* user = nullptr;
    const LastLogins* last_logins = nullptr;

    std::optional<Timestamp> last_login() const {
        return last_logins->latest(user->id.value, user->last_login);
    }
    UserView view() const {
        return {user->id.value.text(), user->email,    user->created_by, {user->created_at},
                {user->updated_at},    {last_login()}, user->is_local,   user->groups};
    }
};

std::optional<std::int64_t> microseconds(std::optional<Timestamp> at) {
    return at ? std::optional(at->microseconds) : std::nullopt;
}

const std::vector<ListField<ListedUser>>& user_fields() {
    using Row = const ListedUser&;
    static const std::vector<ListField<ListedUser>> fields{
        {"username", FieldKind::text, [](Row row) { return row.user->email; }, nullptr},
        {"createdBy", FieldKind::text, [](Row row) { return row.user->created_by; }, nullptr},
        {"lastLogin", FieldKind::time, nullptr,
         [](Row row) { return microseconds(row.last_login()); }},
        {"creationTime", FieldKind::time, nullptr,
         [](Row row) { return microseconds(row.user->created_at); }},
        {"lastUpdated", FieldKind::time, nullptr,
         [](Row row) { return microseconds(row.user->updated_at); }},
        {"isLocal", FieldKind::text,
         [](Row row) { return std::string(row.user->is_local ? "true" : "false"); }, nullptr},
        {"type", FieldKind::text,
         [](Row row) { return std::string(row.user->is_local ? "local" : "sso"); }, nullptr},
    };
    return fields;
}

struct UsersRequest : ListRequest {
    std::optional<std::string> filter; // deprecated: "runai.is_local:true"
};
BOOST_DESCRIBE_STRUCT(UsersRequest, (),
                      (filter, filter_by, sort_by, sort_order, offset, limit, search))

Result<std::optional<bool>> only_local(const UsersRequest& request) {
    if (!request.filter || request.filter->empty()) {
        return std::optional<bool>();
    }
    if (*request.filter == "runai.is_local:true" || *request.filter == "runai.is_local:false") {
        return std::optional(request.filter->ends_with("true"));
    }
    return fail(ErrorCode::invalid_request,
                "filter is runai.is_local:true or runai.is_local:false; use filterBy for more");
}

/// In the order of creation, unless sortBy says otherwise.
using UserWalk = PageWalk<ListedUser, std::pair<Timestamp, Uuid>>;

Result<UserWalk> walk_users(const Context& context, const UsersRequest& request, const Page& page) {
    const auto local = TRY(only_local(request));
    auto walk = TRY(UserWalk::begin(request, page, user_fields(),
                                    [](const ListedUser& row, std::string_view search) {
                                        return contains_ignoring_case(row.user->email, search);
                                    }));
    context.state().users.for_each([&](const User& user) {
        if (!local || *local == user.is_local) {
            walk.offer({user.created_at, user.id.value}, {&user, &context.services.last_logins});
        }
    });
    return walk;
}

Result<std::vector<UserView>> list_users(Context& context, const UsersRequest& request) {
    constexpr std::int32_t default_limit = 500;
    const Page page = TRY(page_of(request, default_limit));
    auto walk = TRY(walk_users(context, request, page));
    std::vector<UserView> views;
    for (const ListedUser& row : walk.rows()) {
        views.push_back(row.view());
    }
    return views;
}

struct UserCountRequest {
    std::optional<FilterText> filter_by;
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(UserCountRequest, (), (filter_by, search))

Result<CountResponse> count_users(Context& context, const UserCountRequest& request) {
    UsersRequest list;
    list.filter_by = request.filter_by;
    list.search = request.search;
    const auto walk = TRY(walk_users(context, list, no_page));
    return CountResponse{static_cast<std::int64_t>(walk.total())};
}

// --- one user -----------------------------------------------------------------------------------

struct UserCreationRequest {
    std::string email;
    std::optional<bool> reset_password; // before the first sign-in
    std::optional<bool> notify;         // accepted; no mail is sent from here
};
BOOST_DESCRIBE_STRUCT(UserCreationRequest, (), (email, reset_password, notify))

struct UserPostResponse {
    std::string id, username, temp_password;
};
BOOST_DESCRIBE_STRUCT(UserPostResponse, (), (id, username, temp_password))

Result<UserPostResponse> create_user(Context& context, const UserCreationRequest& request) {
    const NewUser made = TRY(context.services.users.create(context.caller, request.email,
                                                           request.reset_password.value_or(false)));
    return UserPostResponse{made.user.id.value.text(), made.user.email,
                            std::string(made.password.reveal())};
}

struct UserRequest {
    std::string user_id;
};
BOOST_DESCRIBE_STRUCT(UserRequest, (), (user_id))

Result<UserView> read_user(Context& context, const UserRequest& request) {
    const Uuid id = TRY(user_id(request.user_id));
    const User* user = context.state().users.find(id);
    if (user == nullptr) {
        return unknown_user();
    }
    return ListedUser{user, &context.services.last_logins}.view();
}

Result<Empty> delete_user(Context& context, const UserRequest& request) {
    const Uuid id = TRY(user_id(request.user_id));
    TRY(context.services.users.remove(context.caller, id));
    return Empty{};
}

Result<Empty> log_out_user(Context& context, const UserRequest& request) {
    const Uuid id = TRY(user_id(request.user_id));
    TRY(context.services.users.sign_out(context.caller, id));
    return Empty{};
}

struct UserPasswordResponse {
    std::string temp_password;
};
BOOST_DESCRIBE_STRUCT(UserPasswordResponse, (), (temp_password))

Result<UserPasswordResponse> reset_user_password(Context& context, const UserRequest& request) {
    const Uuid id = TRY(user_id(request.user_id));
    const Secret password = TRY(context.services.users.reset_password(context.caller, id));
    return UserPasswordResponse{std::string(password.reveal())};
}

// --- the caller's own password ------------------------------------------------------------------

struct UserChangePasswordRequest {
    std::string_view current_password, new_password;
};
BOOST_DESCRIBE_STRUCT(UserChangePasswordRequest, (), (current_password, new_password))

/// The e-mail of who calls: of the token, or of the Basic scheme, whose password is judged with the
/// current one of the body.
Result<std::string> own_email(const Context& context, std::string_view current_password) {
    const Principal& principal = context.caller.principal;
    if (!principal.name.empty()) {
        if (principal.kind != PrincipalKind::user || principal.access_key) {
            return fail(ErrorCode::access_denied,
                        "only a user who has signed in may change a password; an access key and "
                        "a service account may not");
        }
        return principal.name;
    }
    auto basic = read_basic(*context.request.authorization);
    if (!basic) {
        return fail(ErrorCode::unauthenticated, "The Authorization header is malformed.");
    }
    if (!constant_time_equal(basic->secret.reveal(), current_password)) {
        return fail(ErrorCode::invalid_request,
                    "currentPassword is not the password of the Authorization header");
    }
    return std::move(basic->id);
}

/// Answers `{}`: passwords are not repeated.
struct UserChangePasswordResponse {};
BOOST_DESCRIBE_STRUCT(UserChangePasswordResponse, (), ())

Result<UserChangePasswordResponse> change_password(Context& context,
                                                   const UserChangePasswordRequest& request) {
    const bool has_token = !context.caller.principal.name.empty();
    const std::string email = TRY(own_email(context, request.current_password));
    auto checked = context.services.grants.check_password(
        context.state(), email, request.current_password, context.caller.origin);
    if (!checked) {
        GrantOutcome refused = std::move(checked).error();
        context.ticket = refused.ticket;
        context.retry_after_seconds = refused.retry_after_seconds;
        context.refusal = std::move(refused.refusal);
        const Error& error = refused.result.error();
        if (error.code() != ErrorCode::invalid_grant) {
            return std::unexpected(error);
        }
        return has_token ? fail(ErrorCode::invalid_request, "currentPassword is wrong")
                         : fail(ErrorCode::unauthenticated, error.detail());
    }
    const User& user = **checked;
    if (!user.enabled) {
        Refusal& refusal = context.refusal.emplace();
        refusal.reason = RefusalReason::principal_disabled;
        refusal.subject = {PrincipalKind::user, user.id.value};
        return fail(ErrorCode::unauthenticated, "The user name or password is wrong.");
    }
    Caller caller = context.caller;
    caller.principal = {PrincipalKind::user, user.id.value, user.email, user.groups};
    TRY(context.services.users.change_password(caller, user, request.current_password,
                                               request.new_password));
    return UserChangePasswordResponse{};
}

constexpr Access may(Action action) {
    return Access::permission("users", action, EvaluatedAt::tenant);
}

constexpr Operation operation(HttpMethod method, std::string_view path, std::string_view id,
                              std::string_view summary, Access access, int success = 200) {
    return {.method = method,
            .path = path,
            .id = id,
            .tag = "users",
            .summary = summary,
            .access = access,
            .success = success};
}

} // namespace

Routes user_routes() {
    constexpr std::string_view collection = "/api/v1/users";
    constexpr std::string_view item = "/api/v1/users/{userId}";
    return {
        route<list_users>(
            operation(HttpMethod::get, collection, "listUsers", "List users", may(Action::read))),
        route<create_user>(operation(HttpMethod::post, collection, "createUser",
                                     "Create a local user; its password is shown only here. With "
                                     "resetPassword it must be changed before the first sign-in; "
                                     "notify is accepted, and no mail is sent",
                                     may(Action::create), 201)),
        route<count_users>(operation(HttpMethod::get, "/api/v1/users/count", "countUsers",
                                     "Count users", may(Action::read))),
        route<read_user>(
            operation(HttpMethod::get, item, "getUser", "Read one user", may(Action::read))),
        route<delete_user>(operation(HttpMethod::remove, item, "deleteUser",
                                     "Delete a user with all its access rules and access keys",
                                     may(Action::remove), 204)),
        route<log_out_user>(operation(
            HttpMethod::post, "/api/v1/users/{userId}/logout", "logoutUser",
            "End all sign-ins of a user: access and refresh tokens, at once", may(Action::update))),
        route<reset_user_password>(operation(
            HttpMethod::post, "/api/v1/users/{userId}/password", "resetUserPassword",
            "Give a local user a new temporary password; ends its sign-ins", may(Action::update))),
        route<change_password>(
            operation(HttpMethod::post, "/api/v1/me/password", "changeUserPassword",
                      "Change one's own password, also a temporary one (with Basic instead of a "
                      "bearer); ends all sign-ins, also this one",
                      Access::authenticated_or_basic())),
    };
}

} // namespace claviger
