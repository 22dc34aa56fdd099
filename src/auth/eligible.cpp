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

namespace {

Eligibility refuse(Ineligible reason) {
    return {reason, nullptr, {}, 0};
}

Eligibility judge(bool enabled, std::uint32_t epoch, std::optional<std::uint32_t> token_epoch,
                  std::string_view name, const User* user) {
    if (!enabled) {
        return refuse(Ineligible::disabled);
    }
    if (token_epoch && *token_epoch != epoch) {
        return refuse(Ineligible::epoch_passed);
    }
    return {std::nullopt, user, name, epoch};
}

} // namespace

Eligibility eligible(const TenantState& state, PrincipalKind kind, const Uuid& id,
                     std::optional<std::uint32_t> token_epoch,
                     const std::optional<Uuid>& access_key) {
    if (!state.tenant.enabled) {
        return refuse(Ineligible::tenant_disabled);
    }
    if (kind == PrincipalKind::service_account) {
        const AccountEntry* account = state.accounts.find(id);
        return account == nullptr
                   ? refuse(Ineligible::unknown)
                   : judge(account->enabled, account->epoch, token_epoch, account->name, nullptr);
    }
    const User* user = state.users.find(id);
    if (user == nullptr) {
        return refuse(Ineligible::unknown);
    }
    if (access_key) {
        const AccessKey* key = state.access_keys.find(*access_key);
        return key == nullptr || key->user != id
                   ? refuse(Ineligible::unknown)
                   : judge(user->enabled, key->epoch, token_epoch, user->email, user);
    }
    const Eligibility standing = judge(user->enabled, user->epoch, token_epoch, user->email, user);
    return !standing.refused && user->password_is_temporary
               ? refuse(Ineligible::password_is_temporary)
               : standing;
}

} // namespace claviger
