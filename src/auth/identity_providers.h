// SPDX-License-Identifier: Apache-2.0
// Where the users of a tenant sign in besides Claviger (contract 2.10): kept, judged by their form,
// never asked from here. A provider's secret is sealed and bound to its tenant, its alias and the
// address that it may be sent to.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/caller.h"
#include "auth/identity_provider_settings.h"
#include "auth/vault.h"
#include "base/clock.h"
#include "base/secret.h"
#include "store/store.h"

namespace claviger {

inline constexpr std::size_t most_identity_providers = 100; // a tenant
/// What answers show in the place of a secret. Sent back, it keeps the stored one.
inline constexpr std::string_view masked_secret = "*******";

struct IdentityProviderDraft {
    IdentityProviderType type = IdentityProviderType::oidc;
    std::optional<std::string> name;
    IdentityProviderSettings settings;
    std::string_view secret; // empty for SAML
    std::optional<IdentityProviderMappers> mappers;
};

class IdentityProviders {
public:
    IdentityProviders(Store& store, const RootKey& root_key, const Clock& clock, Random& random);

    /// Gives the alias, which follows from the name or the type.
    Result<std::string> create(const Caller& caller, const IdentityProviderDraft& draft);
    /// What the draft leaves out stays: name, mappers, and the metadata of a SAML provider. The
    /// type stays always. `invalid_request` for the mask with another address.
    Result<void> update(const Caller& caller, std::string_view alias, IdentityProviderDraft draft);
    Result<void> update_mappers(const Caller& caller, std::string_view alias,
                                const IdentityProviderMappers& mappers);
    /// A redirect of the sign-in page to it is turned off with it.
    Result<void> remove(const Caller& caller, std::string_view alias);

    /// `internal` when the row was changed, or moved to another tenant, alias or address.
    Result<Secret> open_secret(const IdentityProvider& row) const;

private:
    using Change = std::function<Result<void>(Transaction&, IdentityProvider&)>;
    Result<void> change(const Caller& caller, std::string_view alias, std::string_view action,
                        const Change& change);
    Bytes seal(const IdentityProvider& row, std::string_view secret) const;

    Store& store_;
    Vault vault_;
    const Clock& clock_;
};

} // namespace claviger
