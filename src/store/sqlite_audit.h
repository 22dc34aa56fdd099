// SPDX-License-Identifier: Apache-2.0
// Chains of audit events in SQLite: change events in the main database and access events in their
// own, each with its tables event_block and event_anchor. Private to the module.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/audit_source.h"
#include "store/sqlite_connection.h"

namespace claviger {

/// How to ask for entries; ?1 ?2 ?3 are the tenant, the first and the last number.
struct AuditTable {
    std::string entries;
    std::string last_entry;
    std::string times_and_hashes; // number, at, hash
    std::string summarise;        // ?4 is the block, ?5 the mark of unlisted entries
    std::string remove;
};
const AuditTable& change_event_table();
const AuditTable& access_event_table();

/// The key of an access event; see migrations.cpp.
std::int64_t access_event_id(TenantId tenant, std::uint64_t number);

Result<AuditHead> find_audit_head(Connection& connection, const AuditTable& table, TenantId tenant);
Result<AuditHead> find_audit_anchor(Connection& connection, TenantId tenant);

/// To be called in the transaction that inserts entry `number`: summarises the block that it ends.
Result<void> end_block(Connection& connection, const AuditTable& table, TenantId tenant,
                       std::uint64_t number);
/// Summarises what was written before there were blocks. Inside a transaction.
Result<void> add_missing_blocks(Connection& connection, const AuditTable& table, TenantId tenant);
/// Looks at `most` entries from the beginning and removes those up to the first that is not older
/// than `before`. Inside a transaction.
Result<std::uint64_t> remove_oldest_entries(Connection& connection, const AuditTable& table,
                                            TenantId tenant, Timestamp before, std::uint64_t most);

/// Reads the database, and after it the entries of the spool.
class SqliteAuditReader final : public AuditReader {
public:
    static Result<std::unique_ptr<AuditReader>> open(const std::filesystem::path& file,
                                                     const AuditTable& table,
                                                     std::vector<AuditEntry> spooled);

    Result<AuditHead> head(TenantId tenant) override;
    Result<AuditHead> anchor(TenantId tenant) override;
    Result<std::vector<AuditBlock>> blocks(TenantId tenant, Timestamp from, Timestamp to) override;
    Result<void> for_each(TenantId tenant, std::uint64_t first, std::uint64_t last,
                          const AuditVisitor& visit) override;

private:
    SqliteAuditReader(std::unique_ptr<Connection> connection, const AuditTable& table,
                      std::vector<AuditEntry> spooled)
        : connection_(std::move(connection)), table_(table), spooled_(std::move(spooled)) {}

    std::unique_ptr<Connection> connection_;
    const AuditTable& table_;
    std::vector<AuditEntry> spooled_;
};

} // namespace claviger
