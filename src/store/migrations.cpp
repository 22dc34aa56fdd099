// SPDX-License-Identifier: Apache-2.0
#include "store/migrations.h"

#include <array>
#include <string>

#include "store/schema_steps.h"

namespace claviger {

namespace {

constexpr std::array store_steps{store_1, store_2,        event_blocks,    revocations,
                                 limits,  key_life_cycle, secret_rotation, usage_tables};
constexpr std::array audit_steps{audit_1, event_blocks};

Result<void> apply(Connection& connection, std::string_view sql, std::size_t version) {
    TRY(connection.execute("BEGIN IMMEDIATE"));
    const std::string text =
        std::string(sql) +
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT;"
        "DELETE FROM schema_version; INSERT INTO schema_version VALUES (" +
        std::to_string(version) + "); COMMIT";
    auto applied = connection.execute(text);
    if (!applied && connection.in_transaction()) {
        TRY(connection.execute("ROLLBACK"));
    }
    return applied;
}

} // namespace

Migrations store_migrations() {
    return store_steps;
}

Migrations audit_migrations() {
    return audit_steps;
}

Result<std::int64_t> schema_version(Connection& connection) {
    const std::string exists =
        TRY(connection.ask("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'"));
    if (exists.empty()) {
        return 0;
    }
    Statement version = TRY(connection.query("SELECT version FROM schema_version"));
    const bool found = TRY(version.step());
    return found ? version.integer(0) : 0;
}

Result<void> migrate(Connection& connection, Migrations migrations) {
    const std::int64_t version = TRY(schema_version(connection));
    const auto done = static_cast<std::size_t>(version);
    if (done > migrations.size()) {
        return fail(ErrorCode::internal,
                    connection.name() + " was written by a newer version of claviger (schema " +
                        std::to_string(version) + ", this program knows " +
                        std::to_string(migrations.size()) + "): use that version");
    }
    for (std::size_t step = done; step < migrations.size(); ++step) {
        TRY(apply(connection, migrations[step], step + 1));
    }
    return {};
}

} // namespace claviger
