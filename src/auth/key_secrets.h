// SPDX-License-Identifier: Apache-2.0
// The secrets of a key while it is in use: one more beside those that are good, one that is good
// no longer, one in the place of all. Whoever makes a secret may do what the key may
// (check_no_wider). Each change and its audit entry are one transaction.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "auth/access_keys.h"
#include "auth/caller.h"
#include "auth/client_secret.h"
#include "auth/directory.h"
#include "auth/secret_uses.h"
#include "auth/token_settings.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/store.h"

namespace claviger {

/// A service account, or an access key of a user.
struct KeyName {
    PrincipalKind kind = PrincipalKind::service_account; // of whose tokens it gets
    Uuid id;
    KeyReach reach = KeyReach::tenant; // of the caller, when it is an access key
    bool is_by_itself = false;         // the caller's token was got with this very key
};
/// The one that the caller's token was got with; `access_denied` for a user who signed in.
Result<KeyName> own_key(const Caller& caller);

struct NewSecretOptions {
    std::optional<Timestamp> expires_at = {};
    /// The older ones are retired by themselves once unused for so long.
    std::optional<std::int64_t> drain_seconds = {};
};
struct NewSecret {
    Secret text;
    ClientSecret row;
};

/// What is to be retired: a secret by its id, or all live ones but the newest.
struct RetirementOptions {
    std::optional<Uuid> secret = {};
    std::int64_t unused_for_seconds = 0; // refused when it was used since
    bool force = false;                  // whenever it was used
};

inline constexpr std::int64_t longest_overlap_seconds = 90 * 86'400;
inline constexpr std::int64_t longest_drain_seconds = 90 * 86'400;

class KeySecrets {
public:
    KeySecrets(Store& store, const Directory& directory, const Pepper& pepper, SecretUses& uses,
               const Clock& clock, Random& random);

    /// Adds a secret. `conflict` when as many as there may be are good already.
    Result<NewSecret> add(const Caller& caller, const KeyName& key,
                          const NewSecretOptions& options);
    /// Puts one in the place of all. With an overlap the older ones are good for so long;
    /// without, they and their tokens end at once.
    Result<Secret> replace(const Caller& caller, const KeyName& key, std::int64_t overlap_seconds);
    /// The ids of what is retired. Tokens that are out stay good. `conflict` when one was used
    /// lately, or is asked for and the only one that is good.
    Result<std::vector<Uuid>> retire(const Caller& caller, const KeyName& key,
                                     const RetirementOptions& options);
    /// All that are kept, the oldest first.
    Result<std::vector<ClientSecret>> all(const Caller& caller, const KeyName& key) const;
    Result<std::vector<SecretUse>> uses(const Caller& caller, const KeyName& key) const;

    /// Makes a frozen secret good again; tokens that were got with it before have ended. `conflict`
    /// for one that has ended otherwise.
    Result<void> restore(const Caller& caller, const KeyName& key, const Uuid& secret);

    /// Does with a secret that somebody has found what the policy says. `event` says who reported
    /// it, and gets the rest.
    Result<void> end_leaked(TenantId tenant, const KeyName& key, const Uuid& secret,
                            LeakPolicy policy, AuditEvent event);

    /// Retires what has drained, in all tenants; how many. Looks every half minute; call it on one
    /// thread.
    Result<std::size_t> retire_drained();

private:
    enum class Gives : std::uint8_t { nothing, secret };
    /// `change` gets the row and the audit event, changes both, and says whether it did.
    template <class Change>
    Result<void> change(const Caller& caller, const KeyName& key, Gives gives, Change change);
    Result<void> check_unused(const ClientSecret& secret, const std::vector<SecretUse>& uses,
                              const RetirementOptions& options) const;
    Result<std::size_t> retire_drained_of(TenantId tenant, PrincipalKind kind, const Uuid& key);

    Store& store_;
    const Directory& directory_;
    const Pepper& pepper_;
    SecretUses& uses_;
    const Clock& clock_;
    Random& random_;
    Timestamp next_look_{};
};

} // namespace claviger
