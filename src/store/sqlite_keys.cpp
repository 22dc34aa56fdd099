// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_keys.h"

namespace claviger {

Result<std::vector<SigningKey>> SqliteSigningKeyRows::all(TenantId tenant) {
    static const std::string sql =
        select(signing_key_columns, "signing_key WHERE tenant = ? ORDER BY created_at, kid");
    return find_all<SigningKey>(context_.connection, sql, tenant);
}

Result<void> SqliteSigningKeyRows::put(const SigningKey& key) {
    TRY(context_.connection.run(
        "INSERT INTO signing_key (tenant, kid, algorithm, purpose, sealed_private_key, state, "
        "token_lifetime_seconds, created_at, activates_at, retired_at, burned_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, kid) DO UPDATE SET algorithm = excluded.algorithm, "
        "purpose = excluded.purpose, sealed_private_key = excluded.sealed_private_key, "
        "state = excluded.state, token_lifetime_seconds = excluded.token_lifetime_seconds, "
        "created_at = excluded.created_at, activates_at = excluded.activates_at, "
        "retired_at = excluded.retired_at, burned_at = excluded.burned_at",
        key.tenant, key.kid, key.algorithm, key.purpose,
        std::span<const std::uint8_t>(key.sealed_private_key), key.state,
        key.token_lifetime_seconds, key.created_at, key.activates_at, key.retired_at,
        key.burned_at));
    return context_.changes.record(key);
}

Result<std::vector<SealedRootKey>> SqliteRootKeyRows::all() {
    static const std::string sql =
        select(root_key_columns, "root_key ORDER BY created_at, master_key_id");
    return find_all<SealedRootKey>(context_.connection, sql);
}

Result<void> SqliteRootKeyRows::put(const SealedRootKey& key) {
    return context_.connection.run(
        "INSERT INTO root_key (master_key_id, box, created_at) VALUES (?, ?, ?) "
        "ON CONFLICT (master_key_id) DO UPDATE SET box = excluded.box, "
        "created_at = excluded.created_at",
        key.master_key_id, std::span<const std::uint8_t>(key.box), key.created_at);
}

Result<void> SqliteRootKeyRows::remove(std::string_view master_key_id) {
    return context_.connection.run("DELETE FROM root_key WHERE master_key_id = ?", master_key_id);
}

} // namespace claviger
