// SPDX-License-Identifier: Apache-2.0
#include "auth/users.h"

#include "auth/access_rules.h"
#include "auth/last_administrator.h"
#include "auth/names.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr const char* entity = "users";

Result<User> find(Transaction& transaction, const UserId& id) {
    auto user = TRY(transaction.users().find(id));
    if (!user) {
        return fail(ErrorCode::not_found, "no user has this userId");
    }
    return *std::move(user);
}

Principal principal_of(const User& user) {
    return {PrincipalKind::user, user.id.value, user.email, user.groups};
}

Result<const User*> find_manageable(const Caller& caller, const Uuid& id) {
    const User* user = caller.state->users.find(id);
    if (user == nullptr) {
        return fail(ErrorCode::not_found, "no user has this userId");
    }
    TRY(check_holds_no_more(caller, principal_of(*user)));
    return user;
}

Result<void> end_sessions(Transaction& transaction, const UserId& user, Timestamp now) {
    auto sessions = TRY(transaction.sessions().of_user(user));
    for (Session& session : sessions) {
        session.deleted_at = now;
        TRY(transaction.sessions().put(session));
    }
    return {};
}

/// Ends the tokens of all access keys, or the keys as well.
Result<void> end_access_keys(Transaction& transaction, const UserId& owner, Timestamp now,
                             bool remove) {
    auto keys = TRY(transaction.access_keys().of_user(owner));
    for (AccessKey& key : keys) {
        key.epoch += 1;
        key.updated_at = now;
        if (remove) {
            key.secrets.clear();
            key.deleted_at = now;
        }
        TRY(transaction.access_keys().put(key));
    }
    return {};
}

/// Ends everything that was got with the user's credentials; `user` is still to be put.
Result<void> end_sign_ins(Transaction& transaction, User& user, Timestamp now) {
    user.epoch += 1;
    user.updated_at = now;
    TRY(end_sessions(transaction, user.id, now));
    return end_access_keys(transaction, user.id, now, false);
}

} // namespace

Users::Users(Store& store, Passwords& passwords, const Clock& clock, Random& random)
    : store_(store), passwords_(passwords), clock_(clock), random_(random) {}

Result<NewUser> Users::create(const Caller& caller, std::string_view email, bool temporary) {
    if (!is_email_address(email)) {
        return fail(ErrorCode::invalid_request, "email is no e-mail address");
    }
    const Timestamp now = clock_.now();
    NewUser made;
    made.password = generate_password(random_);
    User& user = made.user;
    user.id = {caller.tenant(), Uuid::make(random_)};
    user.email = ascii_lower(email);
    TRY(check_no_wider(caller, principal_of(user), nullptr)); // a password has no limits
    user.password_hash = TRY(passwords_.hash(made.password.reveal()));
    user.password_is_temporary = temporary;
    user.created_by = caller.principal.name;
    user.created_at = now;
    user.updated_at = now;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto taken = TRY(transaction.users().find_by_email(caller.tenant(), user.email));
        if (taken) {
            return fail(ErrorCode::conflict, "Resource with this name already exists");
        }
        TRY(transaction.users().put(user));
        return append_change_event(transaction,
                                   change_event(caller, now, audit_action::create, entity,
                                                user.id.value.text(), user.email));
    }));
    return made;
}

Result<void> Users::remove(const Caller& caller, const Uuid& id) {
    TRY(find_manageable(caller, id));
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        User user = TRY(find(transaction, {caller.tenant(), id}));
        TRY(end_sessions(transaction, user.id, now));
        TRY(end_access_keys(transaction, user.id, now, true));
        user.epoch += 1;
        user.password_hash.clear();
        user.updated_at = now;
        user.deleted_at = now;
        TRY(transaction.users().put(user));
        const Subject subject{SubjectType::user, user.email};
        const std::size_t rules = TRY(remove_rules_of(transaction, caller.tenant(), subject, now));
        AuditEvent event =
            change_event(caller, now, audit_action::remove, entity, id.text(), user.email);
        event.metadata.emplace_back("access_rules_removed", std::to_string(rules));
        return append_change_event(transaction, event);
    });
}

Result<void> Users::sign_out(const Caller& caller, const Uuid& id) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        User user = TRY(find(transaction, {caller.tenant(), id}));
        TRY(end_sign_ins(transaction, user, now));
        TRY(transaction.users().put(user));
        return append_change_event(transaction, change_event(caller, now, audit_action::sign_out,
                                                             entity, id.text(), user.email));
    });
}

Result<void> Users::set_password(const Caller& caller, const Uuid& id, const User* seen,
                                 std::string_view password, bool temporary) {
    const std::string hash = TRY(passwords_.hash(password));
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        User user = TRY(find(transaction, {caller.tenant(), id}));
        if (seen != nullptr && (user.epoch != seen->epoch || !user.enabled)) {
            return fail(ErrorCode::conflict, "the user was changed meanwhile; try again");
        }
        TRY(end_sign_ins(transaction, user, now));
        user.password_hash = hash;
        user.password_is_temporary = temporary;
        TRY(transaction.users().put(user));
        return append_change_event(
            transaction,
            change_event(caller, now, audit_action::reset_password, entity, id.text(), user.email));
    });
}

Result<Secret> Users::reset_password(const Caller& caller, const Uuid& id) {
    const User* user = TRY(find_manageable(caller, id));
    TRY(check_no_wider(caller, principal_of(*user), nullptr)); // a password has no limits
    if (!user->is_local) {
        return fail(ErrorCode::invalid_request,
                    "this user signs in with an identity provider and has no password here");
    }
    Secret password = generate_password(random_);
    TRY(set_password(caller, id, nullptr, password.reveal(), true));
    return password;
}

Result<void> Users::change_password(const Caller& caller, const User& user,
                                    std::string_view current, std::string_view wanted) {
    const Tenant& tenant = caller.state->tenant;
    const std::string local = user.email.substr(0, user.email.find('@'));
    TRY(check_new_password(wanted, {user.email, local, tenant.name, tenant.realm}));
    const bool is_same = TRY(is_same_password(current, wanted));
    if (is_same) {
        return fail(ErrorCode::invalid_request, "the new password is the old one");
    }
    return set_password(caller, user.id.value, &user, wanted, false);
}

} // namespace claviger
