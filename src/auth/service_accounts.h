// SPDX-License-Identifier: Apache-2.0
// Service accounts: machine identities with a secret that is shown once. Every change and its audit
// entry are one transaction.
#pragma once

#include <string_view>

#include "auth/caller.h"
#include "auth/client_secret.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

struct NewServiceAccount {
    ServiceAccount account;
    Secret client_secret; // shown once
};

/// In audit entries.
inline constexpr const char* service_account_entity = "service-account";

class ServiceAccounts {
public:
    ServiceAccounts(Store& store, const Pepper& pepper, const Clock& clock, Random& random);

    /// `invalid_request` for a bad name, `conflict` for a taken one, `access_denied` when the
    /// limits (credential_limits.h) let it be used when or where the caller's own key may not.
    Result<NewServiceAccount> create(const Caller& caller, std::string_view name,
                                     std::string_view limits = no_limits);
    /// Replaces the limits, which act on tokens that are out as well. `access_denied` for what the
    /// caller may not do itself, unless the old limits allow it already.
    Result<void> set_limits(const Caller& caller, const Uuid& id, std::string_view limits);
    /// Disabling ends the tokens that are out; enabling does not revive them. `conflict` for the
    /// tenant's last System administrator.
    Result<void> set_enabled(const Caller& caller, const Uuid& id, bool enabled);
    /// Deletes the account and its access rules. `conflict` for the last System administrator.
    Result<void> remove(const Caller& caller, const Uuid& id);

private:
    Store& store_;
    const Pepper& pepper_;
    const Clock& clock_;
    Random& random_;
};

} // namespace claviger
