// SPDX-License-Identifier: Apache-2.0
// Local users: accounts with a password. What ends a user's sign-ins ends them all at once: access
// tokens, refresh tokens, and the tokens of the user's access keys. Nobody gets hold of, or
// removes, somebody who holds more than they do. Every change and its audit entry are one
// transaction.
#pragma once

#include <string_view>

#include "auth/caller.h"
#include "auth/password.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

struct NewUser {
    User user;
    Secret password; // shown once
};

class Users {
public:
    Users(Store& store, Passwords& passwords, const Clock& clock, Random& random);

    /// `temporary`: the password must be changed before the first sign-in. `invalid_request` for a
    /// bad address, `conflict` for a known one, `access_denied` when rules that wait for this
    /// address give more than the caller holds.
    Result<NewUser> create(const Caller& caller, std::string_view email, bool temporary);

    /// Deletes the user with all access rules that name it and all its access keys: a later account
    /// of the same address inherits nothing. `conflict` for the last System administrator.
    Result<void> remove(const Caller& caller, const Uuid& id);

    /// Ends all sign-ins; the user may sign in again.
    Result<void> sign_out(const Caller& caller, const Uuid& id);

    /// A new temporary password. `invalid_request` for users of identity providers.
    Result<Secret> reset_password(const Caller& caller, const Uuid& id);

    /// `caller` is the user, whose password `current` was found to be. `invalid_request` for a weak
    /// password or the same again.
    Result<void> change_password(const Caller& caller, const User& user, std::string_view current,
                                 std::string_view wanted);

private:
    Result<void> set_password(const Caller& caller, const Uuid& id, const User* seen,
                              std::string_view password, bool temporary);

    Store& store_;
    Passwords& passwords_;
    const Clock& clock_;
    Random& random_;
};

} // namespace claviger
