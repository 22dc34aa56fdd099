// SPDX-License-Identifier: Apache-2.0
// The row of a key of either kind, a service account or an access key, while its secrets change.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "auth/audit.h"
#include "auth/client_secret.h"
#include "auth/origin.h"
#include "store/store.h"

namespace claviger {

struct KeyRow {
    std::variant<ServiceAccount, AccessKey> noun;

    std::vector<ClientSecret>& secrets();
    const std::string& client_id() const;
    SecretKind kind() const;
    void end_tokens();
    Result<void> put(Transaction& transaction, Timestamp now);
    /// Fills in what an event says of the key.
    void describe(AuditEvent& event) const;
};

/// `kind` is that of whose tokens the key gets.
Result<std::optional<KeyRow>> find_key_row(Transaction& transaction, TenantId tenant,
                                           PrincipalKind kind, const Uuid& key);

} // namespace claviger
