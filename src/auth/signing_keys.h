// SPDX-License-Identifier: Apache-2.0
// The signing keys of all tenants and their life: what is due is done here, on record, and what the
// operator asks for. When what is due is in auth/key_life.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/directory.h"
#include "auth/key_ring.h"
#include "auth/last_logins.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

struct BurnedKey {
    SigningKey key;
    std::vector<SigningKey> successors; // which sign from now on, if it signed
    /// Who may hold a token of it, as far as is known: names of service accounts, e-mails of users,
    /// client ids of access keys.
    std::vector<std::string> affected;
};

class SigningKeys {
public:
    SigningKeys(Store& store, const Directory& directory, const KeyVault& vault,
                const LastLogins& last_logins, const TokenSettings& settings, const Clock& clock);

    /// Takes the steps that are due, tenant by tenant. To be called at start and often; writes only
    /// when there is something to do. Goes on after a failure and gives the first.
    Result<void> run();

    /// Makes a successor for each active key that has none; gives the pending keys.
    Result<std::vector<SigningKey>> rotate(TenantId tenant);
    Result<BurnedKey> burn(TenantId tenant, std::string_view kid);
    /// In the order of their making, with those that are gone.
    Result<std::vector<SigningKey>> list(TenantId tenant);

    /// The keys of a new tenant, active from the beginning, for its first transaction.
    static Result<std::vector<SigningKey>> make_first(const KeyVault& vault, TenantId tenant,
                                                      const TokenSettings& settings, Timestamp now);

private:
    using MakeSteps = std::function<Result<KeySteps>(std::vector<SigningKey>)>;
    /// What was put.
    Result<std::vector<SigningKey>> carry_out(TenantId tenant, std::string_view by, Timestamp now,
                                              const MakeSteps& make_steps);

    Store& store_;
    const Directory& directory_;
    const KeyVault& vault_;
    const LastLogins& last_logins_;
    const TokenSettings& settings_;
    const Clock& clock_;
};

std::string_view name_of(KeyState state);

} // namespace claviger
