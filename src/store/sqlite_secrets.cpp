// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_secrets.h"

#include "store/sqlite_nouns.h"
#include "store/sqlite_rows.h"

namespace claviger {

SecretStatements::SecretStatements(std::string_view table, std::string_view owner) {
    const std::string of_owner = " WHERE tenant = ? AND " + std::string(owner) + " = ?";
    remove = "DELETE FROM " + std::string(table) + of_owner;
    insert = "INSERT INTO " + std::string(table) + " (tenant, " + std::string(owner) + ", " +
             std::string(kept_secret_columns) +
             ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    forget_uses = "DELETE FROM secret_use WHERE tenant = ? AND key = ? AND secret NOT IN "
                  "(SELECT id FROM " +
                  std::string(table) + of_owner + ")";
}

Result<void> replace_secrets(Connection& connection, const SecretStatements& statements,
                             TenantId tenant, const Uuid& owner,
                             std::span<const ClientSecret> secrets) {
    TRY(connection.run(statements.remove, tenant, owner));
    std::int64_t position = 0;
    for (const ClientSecret& secret : secrets) {
        const auto drain_since = secret.drain ? std::optional(secret.drain->since) : std::nullopt;
        const std::int64_t drain_seconds = secret.drain ? secret.drain->seconds : 0;
        TRY(connection.run(statements.insert, tenant, owner, position, secret.id,
                           secret.pepper_version, secret.keyed_hash, secret.created_at,
                           secret.number, secret.expires_at, secret.retired_at, secret.tokens_ended,
                           drain_since, drain_seconds, secret.frozen));
        ++position;
    }
    return connection.run(statements.forget_uses, tenant, owner, tenant, owner);
}

Result<void> add_secret_uses(Connection& connection, std::span<const SecretUse> uses) {
    for (const SecretUse& use : uses) {
        // Of a secret that is gone meanwhile nothing is kept.
        TRY(connection.run(
            "INSERT INTO secret_use (tenant, key, secret, at, source_ip, user_agent, day, count) "
            "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS "
            "(SELECT 1 FROM client_secret WHERE tenant = ?1 AND service_account = ?2 AND id = ?3) "
            "OR EXISTS "
            "(SELECT 1 FROM access_key_secret WHERE tenant = ?1 AND access_key = ?2 AND id = ?3) "
            "ON CONFLICT (tenant, key, secret) DO UPDATE SET at = excluded.at, "
            "source_ip = excluded.source_ip, user_agent = excluded.user_agent, "
            "count = excluded.count + iif(day = excluded.day, count, 0), day = excluded.day",
            use.tenant, use.key, use.secret, use.at, use.source_ip, use.user_agent, use.day.number,
            static_cast<std::int64_t>(use.count)));
    }
    return {};
}

Result<std::vector<SecretUse>> find_secret_uses(Connection& connection, TenantId tenant,
                                                const Uuid& key) {
    static const std::string sql =
        select(secret_use_columns, "secret_use WHERE tenant = ? AND key = ?");
    return find_all<SecretUse>(connection, sql, tenant, key);
}

} // namespace claviger
