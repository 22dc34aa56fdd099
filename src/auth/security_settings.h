// SPDX-License-Identifier: Apache-2.0
// What a tenant has settled about its sign-in page and its sessions (contract 2.11).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/caller.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

/// A value that is absent was set to null.
struct AutoRedirect {
    std::optional<bool> enabled = false;
    std::optional<std::string> alias = ""; // of an identity provider
};
struct SecurityValues {
    AutoRedirect auto_redirect; // past the sign-in page
    std::optional<double> idle_timeout_minutes = 60;
    std::optional<std::string> logout_redirect_uri = "";
};

/// With the contract's values for what was never set.
SecurityValues security_values_of(const TenantSettings& row);

/// Turns the redirect off when it leads to `alias`.
Result<void> stop_redirect_to(Transaction& transaction, TenantId tenant, std::string_view alias,
                              Timestamp now);

class SecuritySettings {
public:
    SecuritySettings(Store& store, const Clock& clock);

    /// `invalid_request` when it is on and no provider has the alias; an empty one is none.
    Result<void> set_auto_redirect(const Caller& caller, const AutoRedirect& value);
    Result<void> set_idle_timeout(const Caller& caller, std::optional<double> minutes);
    Result<void> set_logout_redirect_uri(const Caller& caller, std::optional<std::string> uri);

private:
    using Change = std::function<Result<void>(Transaction&, SecurityValues&)>;
    Result<void> change(const Caller& caller, std::string_view key, const Change& change);
    Store& store_;
    const Clock& clock_;
};

} // namespace claviger
