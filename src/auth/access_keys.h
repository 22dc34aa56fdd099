// SPDX-License-Identifier: Apache-2.0
// Access keys: credentials that a user makes for programs, which then act with the user's rights as
// these are at the moment of use. A secret is shown once. Every change and its audit entry are one
// transaction.
#pragma once

#include <cstddef>
#include <string_view>

#include "auth/caller.h"
#include "auth/client_secret.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

inline constexpr std::size_t most_access_keys = 20; // of one user

struct NewAccessKey {
    AccessKey key;
    Secret client_secret; // shown once
};

/// Whose keys a change may touch.
enum class KeyReach : std::uint8_t {
    own,    ///< The caller's; another's is not found.
    tenant, ///< Everybody's: the caller administers keys.
};

/// In audit entries.
inline constexpr const char* access_key_entity = "access-keys";

/// `not_found` for an unknown one; another user's is as if absent, unless the caller reaches all.
Result<AccessKey> find_access_key(Transaction& transaction, const Caller& caller, const Uuid& id,
                                  KeyReach reach);
/// As it was when the request began.
Result<const AccessKeyEntry*> find_access_key(const Caller& caller, const Uuid& id, KeyReach reach);
/// A caller that is bound to some permissions manages its keys if that is among them.
Result<void> check_may_manage_keys(const Caller& caller, Action action);

class AccessKeys {
public:
    AccessKeys(Store& store, const Pepper& pepper, const Clock& clock, Random& random);

    /// A key of the caller, bound by `limits` (credential_limits.h). `access_denied` for a service
    /// account and for a key that could do more than the caller, `invalid_request` for a bad name
    /// or one key too many, `conflict` when another key of the caller has the name.
    Result<NewAccessKey> create(const Caller& caller, std::string_view name,
                                std::string_view limits = no_limits);
    /// Replaces the limits, which act on tokens that are out as well. `access_denied` for what the
    /// caller may not do itself, unless the old limits allow it already.
    Result<void> set_limits(const Caller& caller, const Uuid& id, KeyReach reach,
                            std::string_view limits);
    /// Its tokens end at once.
    Result<void> remove(const Caller& caller, const Uuid& id, KeyReach reach);

private:
    Store& store_;
    const Pepper& pepper_;
    const Clock& clock_;
    Random& random_;
};

} // namespace claviger
