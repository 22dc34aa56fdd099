// SPDX-License-Identifier: Apache-2.0
#include "auth/eligible.h"

#include <array>

namespace claviger {

std::string_view name_of(Ineligible reason) {
    static constexpr std::array<std::string_view, 9> names{
        "tenant disabled", "unknown principal",       "principal disabled",
        "token revoked",   "secret revoked",          "password is temporary",
        "key expired",     "address not in the list", "honey key"};
    return names[static_cast<std::size_t>(reason)];
}

namespace {

Eligibility refuse(Ineligible reason) {
    Eligibility refused;
    refused.refused = reason;
    return refused;
}

Eligibility judge(bool enabled, std::uint32_t epoch, const std::optional<IssuedWith>& token,
                  std::string_view name, const User* user) {
    if (!enabled) {
        return refuse(Ineligible::disabled);
    }
    if (token && token->epoch != epoch) {
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
    if (limits->is_honey) {
        return refuse(Ineligible::honey_key);
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

Eligibility eligible_account(const AccountEntry* account, const std::optional<IssuedWith>& token,
                             const UseOfCredential& use) {
    if (account == nullptr) {
        return refuse(Ineligible::unknown);
    }
    const Eligibility standing =
        judge(account->enabled, account->epoch, token, account->name, nullptr);
    if (!standing.refused && token && account->secrets.have_tokens_ended(token->secret)) {
        return refuse(Ineligible::secret_revoked);
    }
    return judge_use(standing, account->limits, use);
}

Eligibility eligible_key(const AccessKeyEntry* key, const User& user,
                         const std::optional<IssuedWith>& token, const UseOfCredential& use) {
    if (key == nullptr || key->user != user.id.value) {
        return refuse(Ineligible::unknown);
    }
    const Eligibility standing = judge(user.enabled, key->epoch, token, user.email, &user);
    if (!standing.refused && token && have_tokens_ended(key->secrets, token->secret)) {
        return refuse(Ineligible::secret_revoked);
    }
    return judge_use(standing, key->bounds, use);
}

} // namespace

Eligibility eligible(const TenantState& state, PrincipalKind kind, const Uuid& id,
                     const std::optional<IssuedWith>& token, const UseOfCredential& use,
                     const std::optional<Uuid>& access_key) {
    if (!state.tenant.enabled) {
        return refuse(Ineligible::tenant_disabled);
    }
    if (kind == PrincipalKind::service_account) {
        return eligible_account(state.accounts.find(id), token, use);
    }
    const User* user = state.users.find(id);
    if (user == nullptr) {
        return refuse(Ineligible::unknown);
    }
    if (access_key) {
        return eligible_key(state.access_keys.find(*access_key), *user, token, use);
    }
    const Eligibility standing = judge(user->enabled, user->epoch, token, user->email, user);
    return !standing.refused && user->password_is_temporary
               ? refuse(Ineligible::password_is_temporary)
               : standing;
}

} // namespace claviger
