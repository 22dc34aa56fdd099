// SPDX-License-Identifier: Apache-2.0
// Tenants and what each needs to begin: signing keys and a first administrator. For the operator;
// no API route reaches this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/audit.h"
#include "auth/directory.h"
#include "auth/key_ring.h"
#include "auth/password.h"
#include "auth/token_settings.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

struct NewTenant {
    std::string name;
    std::string realm;
    std::string host; // empty: any host, allowed only while there is one tenant
    std::string admin_email;
    std::optional<Secret> admin_password; // absent: generated
};

struct AddedTenant {
    Tenant tenant;
    std::string admin_email;
    std::optional<Secret> generated_password; // shown once
};

/// An event of a change that the operator makes, from no address.
AuditEvent operator_event(TenantId tenant, Timestamp at, std::string_view action,
                          std::string entity_type, std::string entity_id, std::string entity_name);
/// Who makes what operators make.
inline constexpr const char* operator_name = "operator";

class Tenants {
public:
    Tenants(Store& store, const Directory& directory, const KeyVault& vault, Passwords& passwords,
            const TokenSettings& settings, const Clock& clock, Random& random);

    /// `invalid_request` for bad names or a weak password, `conflict` for a taken realm or host.
    Result<AddedTenant> add(const NewTenant& draft);
    std::vector<Tenant> list() const;
    /// A disabled tenant is refused everywhere at once; nothing of it is deleted.
    Result<Tenant> set_enabled(std::string_view realm, bool enabled);

private:
    Result<void> insert_administrator(Transaction& transaction, const Tenant& tenant,
                                      const std::string& email, const std::string& password_hash);

    Store& store_;
    const Directory& directory_;
    const KeyVault& vault_;
    Passwords& passwords_;
    const TokenSettings& settings_;
    const Clock& clock_;
    Random& random_;
};

} // namespace claviger
