// SPDX-License-Identifier: Apache-2.0
#include "auth/eligible.h"

#include <array>

namespace claviger {

std::string_view name_of(Ineligible reason) {
    static constexpr std::array<std::string_view, 7> names{
        "tenant disabled",       "unknown principal", "principal disabled",     "token revoked",
        "password is temporary", "key expired",       "address not in the list"};
    return names[static_cast<std::size_t>(reason)];
}

namespace {

Eligibility refuse(Ineligible reason) {
    Eligibility refused;
    refused.refused = reason;
    return refused;
}

Eligibility judge(bool enabled, std::uint32_t epoch, std::optional<std::uint32_t> token_epoch,
                  std::string_view name, const User* user) {
    if (!enabled) {
        return refuse(Ineligible::disabled);
    }
    if (token_epoch && *token_epoch != epoch) {
        return refuse(Ineligible::epoch_passed);
    }
    Eligibility standing;
    standing.user = user;
    standing.name = name;
    standing.epoch = epoch;
    return standing;
}

/// What the limits of the credential, if it has any, make of a principal that is good otherwise.
Eligibility judge_use(Eligibility standing, const LimitsPointer& limits,
                      const UseOfCredential& use) {
    if (standing.refused || !limits) {
        return standing;
    }
    if (limits->expires_at && *limits->expires_at <= use.at) {
        Eligibility refused = refuse(Ineligible::key_expired);
        refused.ended_at = limits->expires_at;
        return refused;
    }
    standing.is_outside_addresses = limits->addresses && use.source_ip != asked_from_anywhere &&
                                    !limits->addresses->contains(use.source_ip);
    if (standing.is_outside_addresses && limits->address_mode == AddressMode::enforced) {
        return refuse(Ineligible::outside_addresses);
    }
    standing.limits = limits;
    return standing;
}

} // namespace

Eligibility eligible(const TenantState& state, PrincipalKind kind, const Uuid& id,
                     std::optional<std::uint32_t> token_epoch, const UseOfCredential& use,
                     const std::optional<Uuid>& access_key) {
    if (!state.tenant.enabled) {
        return refuse(Ineligible::tenant_disabled);
    }
    if (kind == PrincipalKind::service_account) {
        const AccountEntry* account = state.accounts.find(id);
        return account == nullptr ? refuse(Ineligible::unknown)
                                  : judge_use(judge(account->enabled, account->epoch, token_epoch,
                                                    account->name, nullptr),
                                              account->limits, use);
    }
    const User* user = state.users.find(id);
    if (user == nullptr) {
        return refuse(Ineligible::unknown);
    }
    if (access_key) {
        const AccessKeyEntry* key = state.access_keys.find(*access_key);
        return key == nullptr || key->user != id
                   ? refuse(Ineligible::unknown)
                   : judge_use(judge(user->enabled, key->epoch, token_epoch, user->email, user),
                               key->bounds, use);
    }
    const Eligibility standing = judge(user->enabled, user->epoch, token_epoch, user->email, user);
    return !standing.refused && user->password_is_temporary
               ? refuse(Ineligible::password_is_temporary)
               : standing;
}

} // namespace claviger
