// SPDX-License-Identifier: Apache-2.0
#include "auth/eligible.h"

#include <array>

namespace claviger {

std::string_view name_of(Ineligible reason) {
    static constexpr std::array<std::string_view, 5> names{"tenant disabled", "unknown principal",
                                                           "principal disabled", "token revoked",
                                                           "password is temporary"};
    return names[static_cast<std::size_t>(reason)];
}

Eligibility eligible(const TenantState& state, PrincipalKind kind, const Uuid& id,
                     std::optional<std::uint32_t> token_epoch) {
    const auto refuse = [](Ineligible reason) { return Eligibility{reason, {}, 0}; };
    if (!state.tenant.enabled) {
        return refuse(Ineligible::tenant_disabled);
    }
    const AccountEntry* account =
        kind == PrincipalKind::service_account ? state.accounts.find(id) : nullptr;
    const User* user = kind == PrincipalKind::user ? state.users.find(id) : nullptr;
    if (account == nullptr && user == nullptr) {
        return refuse(Ineligible::unknown);
    }
    const bool enabled = account != nullptr ? account->enabled : user->enabled;
    const std::uint32_t epoch = account != nullptr ? account->epoch : user->epoch;
    if (!enabled) {
        return refuse(Ineligible::disabled);
    }
    if (token_epoch && *token_epoch != epoch) {
        return refuse(Ineligible::epoch_passed);
    }
    if (user != nullptr && user->password_is_temporary) {
        return refuse(Ineligible::password_is_temporary);
    }
    const std::string_view name =
        account != nullptr ? std::string_view(account->name) : std::string_view(user->email);
    return {std::nullopt, name, epoch};
}

} // namespace claviger
