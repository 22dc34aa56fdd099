// SPDX-License-Identifier: Apache-2.0
// The secrets of service accounts and access keys, which stand in a table of their owners' kind,
// and how they were used last. Private to the module.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite_connection.h"
#include "store/store.h"

namespace claviger {

/// Of one of the two tables.
struct SecretStatements {
    SecretStatements(std::string_view table, std::string_view owner);
    std::string remove;
    std::string insert;
    std::string forget_uses; // of secrets that are no longer there
};

Result<void> replace_secrets(Connection& connection, const SecretStatements& statements,
                             TenantId tenant, const Uuid& owner,
                             std::span<const ClientSecret> secrets);

Result<void> add_secret_uses(Connection& connection, std::span<const SecretUse> uses);
Result<std::vector<SecretUse>> find_secret_uses(Connection& connection, TenantId tenant,
                                                const Uuid& key);

} // namespace claviger
