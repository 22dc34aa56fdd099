// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_audit.h"

#include <algorithm>
#include <limits>

#include "store/sqlite_rows.h"

namespace claviger {

namespace {

static_assert(entries_in_block == 1024); // as the statements say

constexpr std::uint64_t largest_number = (std::uint64_t{1} << 40) - 1;

/// The number before the first of block `block`.
constexpr std::uint64_t before_block(std::uint64_t block) {
    return block * entries_in_block;
}

AuditTable make_table(const std::string& tenant, const std::string& number, const std::string& key,
                      const std::string& from) {
    const std::string entry = "SELECT " + tenant + ", " + number + ", at, payload, hash" + from +
                              " ORDER BY " + key; // as read_row() takes it
    return {
        .entries = entry,
        .last_entry = entry + " DESC LIMIT 1",
        .times_and_hashes = "SELECT " + number + ", at, hash" + from + " ORDER BY " + key,
        .summarise = "INSERT INTO event_block (tenant, block, earliest, latest, listed) "
                     "SELECT ?1, ?4, min(at), max(at), sum(instr(payload, ?5) = 0)" +
                     from + " HAVING count(*) = 1024 ON CONFLICT DO NOTHING",
        .remove = "DELETE" + from,
    };
}

} // namespace

const AuditTable& change_event_table() {
    static const AuditTable table =
        make_table("tenant", "number", "number",
                   " FROM change_event WHERE tenant = ?1 AND number BETWEEN ?2 AND ?3");
    return table;
}

/// (Generated columns would do the same, but VACUUM INTO of SQLite 3.40.1 fails on them.)
const AuditTable& access_event_table() {
    static const AuditTable table =
        make_table("id >> 40", "id & 0xFFFFFFFFFF", "id",
                   " FROM access_event WHERE id BETWEEN (?1 << 40) + ?2 AND (?1 << 40) + ?3");
    return table;
}

std::int64_t access_event_id(TenantId tenant, std::uint64_t number) {
    return (std::int64_t{number_of(tenant)} << 40) + static_cast<std::int64_t>(number);
}

Result<AuditHead> find_audit_anchor(Connection& connection, TenantId tenant) {
    Statement found =
        TRY(connection.query("SELECT number, hash FROM event_anchor WHERE tenant = ?", tenant));
    const bool any = TRY(found.step());
    if (!any) {
        return AuditHead{};
    }
    return AuditHead{static_cast<std::uint64_t>(found.integer(0)), found.bytes<32>(1)};
}

Result<AuditHead> find_audit_head(Connection& connection, const AuditTable& table,
                                  TenantId tenant) {
    Statement last = TRY(connection.query(table.last_entry, tenant, 0, largest_number));
    const bool any = TRY(last.step());
    if (!any) {
        return find_audit_anchor(connection, tenant);
    }
    AuditEntry entry;
    read_row(last, entry);
    return AuditHead{entry.number, entry.hash};
}

Result<void> end_block(Connection& connection, const AuditTable& table, TenantId tenant,
                       std::uint64_t number) {
    if (number % entries_in_block != 0) {
        return {};
    }
    const std::uint64_t block = number / entries_in_block - 1;
    return connection.run(table.summarise, tenant, before_block(block) + 1, number, block,
                          unlisted_mark);
}

Result<void> add_missing_blocks(Connection& connection, const AuditTable& table, TenantId tenant) {
    const AuditHead head = TRY(find_audit_head(connection, table, tenant));
    const AuditHead anchor = TRY(find_audit_anchor(connection, tenant));
    Statement known = TRY(connection.query(
        "SELECT coalesce(max(block) + 1, 0) FROM event_block WHERE tenant = ?", tenant));
    TRY(known.step());
    const std::uint64_t first_whole =
        (anchor.number + entries_in_block - 1) / entries_in_block; // what is begun has none
    std::uint64_t block = std::max(static_cast<std::uint64_t>(known.integer(0)), first_whole);
    for (; before_block(block + 1) <= head.number; ++block) {
        TRY(end_block(connection, table, tenant, before_block(block + 1)));
    }
    return {};
}

Result<std::uint64_t> remove_oldest_entries(Connection& connection, const AuditTable& table,
                                            TenantId tenant, Timestamp before, std::uint64_t most) {
    const AuditHead anchor = TRY(find_audit_anchor(connection, tenant));
    AuditHead last = anchor;
    {
        Statement oldest = TRY(connection.query(table.times_and_hashes, tenant, anchor.number + 1,
                                                anchor.number + most));
        bool more = TRY(oldest.step());
        while (more && oldest.time(1) < before) {
            last = {static_cast<std::uint64_t>(oldest.integer(0)), oldest.bytes<32>(2)};
            more = TRY(oldest.step());
        }
    }
    if (last.number == anchor.number) {
        return 0;
    }
    TRY(connection.run(table.remove, tenant, anchor.number + 1, last.number));
    // With the block that is left in part: its summary would not be true.
    TRY(connection.run("DELETE FROM event_block WHERE tenant = ? AND block <= ?", tenant,
                       (last.number - 1) / entries_in_block));
    TRY(connection.run("INSERT INTO event_anchor (tenant, number, hash) VALUES (?, ?, ?) "
                       "ON CONFLICT (tenant) DO UPDATE SET number = excluded.number, "
                       "hash = excluded.hash",
                       tenant, last.number, last.hash));
    return last.number - anchor.number;
}

Result<std::unique_ptr<AuditReader>> SqliteAuditReader::open(const std::filesystem::path& file,
                                                             const AuditTable& table,
                                                             std::vector<AuditEntry> spooled) {
    auto connection = TRY(Connection::open(file, Connection::Mode::read_only));
    TRY(connection->execute("BEGIN"));
    // The first look decides what is seen.
    TRY(connection->ask("SELECT count(*) FROM (SELECT 1 FROM event_anchor LIMIT 1)"));
    return std::unique_ptr<AuditReader>(
        new SqliteAuditReader(std::move(connection), table, std::move(spooled)));
}

Result<AuditHead> SqliteAuditReader::head(TenantId tenant) {
    AuditHead head = TRY(find_audit_head(*connection_, table_, tenant));
    for (const AuditEntry& entry : spooled_) {
        if (entry.tenant == tenant && entry.number > head.number) {
            head = {entry.number, entry.hash};
        }
    }
    return head;
}

Result<AuditHead> SqliteAuditReader::anchor(TenantId tenant) {
    return find_audit_anchor(*connection_, tenant);
}

Result<std::vector<AuditBlock>> SqliteAuditReader::blocks(TenantId tenant, Timestamp from,
                                                          Timestamp to) {
    const AuditHead begin = TRY(anchor(tenant));
    const AuditHead end = TRY(head(tenant));
    std::vector<AuditBlock> blocks;
    std::uint64_t next = begin.number + 1;
    if (begin.number % entries_in_block != 0 && next <= end.number) {
        const std::uint64_t last = before_block(begin.number / entries_in_block + 1);
        blocks.push_back({next, std::min(last, end.number), std::nullopt});
        next = last + 1;
    }
    Statement found = TRY(connection_->query(
        "SELECT block, earliest, latest, listed FROM event_block WHERE tenant = ?", tenant));
    for (bool more = TRY(found.step()); more;) {
        const auto block = static_cast<std::uint64_t>(found.integer(0));
        next = before_block(block + 1) + 1;
        if (found.time(2) >= from && found.time(1) <= to) {
            blocks.push_back({before_block(block) + 1, before_block(block + 1),
                              AuditSummary{found.time(1), found.time(2),
                                           static_cast<std::uint64_t>(found.integer(3))}});
        }
        more = TRY(found.step());
    }
    if (next <= end.number) {
        blocks.push_back({next, end.number, std::nullopt});
    }
    return blocks;
}

Result<void> SqliteAuditReader::for_each(TenantId tenant, std::uint64_t first, std::uint64_t last,
                                         const AuditVisitor& visit) {
    Statement found = TRY(connection_->query(table_.entries, tenant, first, last));
    AuditEntry entry;
    std::uint64_t next = first;
    for (bool more = TRY(found.step()); more;) {
        read_row(found, entry);
        TRY(visit(entry));
        next = entry.number + 1;
        more = TRY(found.step());
    }
    for (const AuditEntry& kept : spooled_) {
        if (kept.tenant == tenant && kept.number >= next && kept.number <= last) {
            TRY(visit(kept));
        }
    }
    return {};
}

} // namespace claviger
