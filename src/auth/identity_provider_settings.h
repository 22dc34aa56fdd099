// SPDX-License-Identifier: Apache-2.0
// What is kept of an identity provider besides its secret, as values and as the JSON of its row;
// judged by its form only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/model.h"

namespace claviger {

/// Sign-in only for those whose claim holds one of the values.
struct MandatoryClaim {
    std::string claim;
    std::vector<std::string> values;
};

/// Members that a type has no use for stay empty.
struct IdentityProviderSettings {
    /// Where the provider is asked: its discovery document (OpenID Connect), its base address
    /// (OpenShift), its metadata (SAML, unless they are in a file).
    std::string address;
    std::string client_id;
    std::vector<std::string> scopes;
    std::optional<MandatoryClaim> mandatory_claim;
    std::string metadata; // SAML: what the file held, as it was given
    std::string file_name;
    std::string entity_id;
};

/// From our attributes to the provider's: where each is found in what it says.
struct IdentityProviderMappers {
    std::optional<std::string> gid, uid, groups, supplementary_groups, email, first_name, last_name;
};

/// The name of `address` on the wire.
std::string_view address_field(IdentityProviderType type);

Result<void> check_settings(IdentityProviderType type, const IdentityProviderSettings& settings);
Result<void> check_mappers(const IdentityProviderMappers& mappers);
/// What the contract's examples map, for a provider that is made without mappers.
IdentityProviderMappers usual_mappers(IdentityProviderType type);

std::string settings_text(const IdentityProviderSettings& settings);
IdentityProviderSettings settings_of(const IdentityProvider& row);
std::string mappers_text(const IdentityProviderMappers& mappers);
IdentityProviderMappers mappers_of(const IdentityProvider& row);

} // namespace claviger
