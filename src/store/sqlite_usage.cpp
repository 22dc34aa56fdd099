// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_usage.h"

#include <algorithm>

namespace claviger {
namespace {

constexpr std::string_view select_rows =
    "SELECT tenant, day, kind, credential, owner, scope_type, scope, permissions FROM usage WHERE ";

UsageRow read_usage(const Statement& row) {
    UsageRow usage;
    usage.day.number = static_cast<std::int32_t>(row.integer(1));
    usage.credential = {static_cast<CredentialKind>(row.integer(2)), Uuid{row.bytes<16>(3)}};
    usage.owner = Uuid{row.bytes<16>(4)};
    usage.scope = {static_cast<TenantId>(row.integer(0)), static_cast<ScopeType>(row.integer(5)),
                   std::string(row.text(6))};
    const auto bits = row.blob(7);
    usage.permissions.assign(bits.begin(), bits.end());
    return usage;
}

Result<void> visit_all(Statement found, const UsageRows::Visit& visit) {
    for (bool more = TRY(found.step()); more;) {
        visit(read_usage(found));
        more = TRY(found.step());
    }
    return {};
}

Result<std::vector<std::string>> read_permissions(Connection& connection) {
    std::vector<std::string> permissions;
    Statement found =
        TRY(connection.query("SELECT permission FROM usage_permission ORDER BY number"));
    for (bool more = TRY(found.step()); more;) {
        permissions.emplace_back(found.text(0));
        more = TRY(found.step());
    }
    return permissions;
}

} // namespace

Result<UsageNumbers> SqliteUsageRows::number(std::span<const std::string> permissions, Day today) {
    UsageNumbers numbers;
    TRY(queue_.submit([&]() -> Result<void> {
        Connection& connection = writer_.connection();
        TRY(connection.run("INSERT OR IGNORE INTO usage_start (only, day) VALUES (1, ?)",
                           today.number));
        const std::string since = TRY(connection.ask("SELECT day FROM usage_start"));
        numbers.since.number = std::stoi(since);
        numbers.permissions = TRY(read_permissions(connection));
        for (const std::string& permission : permissions) {
            if (std::ranges::find(numbers.permissions, permission) == numbers.permissions.end()) {
                TRY(connection.run(
                    "INSERT INTO usage_permission (number, permission) VALUES (?, ?)",
                    numbers.permissions.size(), permission));
                numbers.permissions.push_back(permission);
            }
        }
        return {};
    }));
    return numbers;
}

Result<void> SqliteUsageRows::merge(std::span<const UsageRow> rows) {
    return queue_.submit([&]() -> Result<void> {
        for (const UsageRow& row : rows) {
            TRY(merge_one(row));
        }
        return {};
    });
}

Result<void> SqliteUsageRows::merge_one(const UsageRow& row) {
    Connection& connection = writer_.connection();
    Bytes bits;
    {
        Statement found = TRY(connection.query(
            "SELECT permissions FROM usage WHERE tenant = ? AND day = ? AND kind = ? AND "
            "credential = ? AND scope_type = ? AND scope = ?",
            row.scope.tenant, row.day.number, row.credential.kind, row.credential.id,
            row.scope.type, row.scope.value));
        const bool is_there = TRY(found.step());
        if (is_there) {
            const auto kept = found.blob(0);
            bits.assign(kept.begin(), kept.end());
        }
    }
    if (!add_bits(bits, row.permissions)) {
        return {};
    }
    return connection.run(
        "INSERT INTO usage (tenant, day, kind, credential, owner, scope_type, scope, permissions) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (tenant, day, kind, credential, scope_type, scope) "
        "DO UPDATE SET permissions = excluded.permissions",
        row.scope.tenant, row.day.number, row.credential.kind, row.credential.id, row.owner,
        row.scope.type, row.scope.value, bits);
}

Result<std::unique_ptr<Connection>> SqliteUsageRows::open_reader() const {
    return Connection::open(file_, Connection::Mode::read_only);
}

Result<void> SqliteUsageRows::for_each_of(TenantId tenant, const Credential& credential, Day from,
                                          Day to, const Visit& visit) {
    static const std::string sql = std::string(select_rows) +
                                   "tenant = ? AND kind = ? AND credential = ? AND "
                                   "day BETWEEN ? AND ? ORDER BY day, scope_type, scope";
    const auto reader = TRY(open_reader());
    return visit_all(
        TRY(reader->query(sql, tenant, credential.kind, credential.id, from.number, to.number)),
        visit);
}

Result<void> SqliteUsageRows::for_each_since(TenantId tenant, Day from, const Visit& visit) {
    static const std::string sql =
        std::string(select_rows) + "tenant = ? AND day >= ? ORDER BY day";
    const auto reader = TRY(open_reader());
    return visit_all(TRY(reader->query(sql, tenant, from.number)), visit);
}

Result<std::vector<LastUse>> SqliteUsageRows::last_uses(TenantId tenant) {
    const auto reader = TRY(open_reader());
    Statement found = TRY(reader->query("SELECT kind, credential, max(day) FROM usage "
                                        "WHERE tenant = ? GROUP BY kind, credential",
                                        tenant));
    std::vector<LastUse> uses;
    for (bool more = TRY(found.step()); more;) {
        uses.push_back({{static_cast<CredentialKind>(found.integer(0)), Uuid{found.bytes<16>(1)}},
                        Day{static_cast<std::int32_t>(found.integer(2))}});
        more = TRY(found.step());
    }
    return uses;
}

Result<std::uint64_t> SqliteUsageRows::remove_before(TenantId tenant, Day before) {
    std::uint64_t removed = 0;
    TRY(queue_.submit([&]() -> Result<void> {
        Connection& connection = writer_.connection();
        TRY(connection.run(
            "DELETE FROM usage WHERE (tenant, day, kind, credential, scope_type, scope) IN "
            "(SELECT tenant, day, kind, credential, scope_type, scope FROM usage "
            "WHERE tenant = ? AND day < ? LIMIT ?)",
            tenant, before.number, most_removed_usage));
        Statement changes = TRY(connection.query("SELECT changes()"));
        TRY(changes.step());
        removed = static_cast<std::uint64_t>(changes.integer(0));
        return {};
    }));
    return removed;
}

} // namespace claviger
