// SPDX-License-Identifier: Apache-2.0
// Reading and shortening the chains of audit events, one a tenant. A chain's entries are numbered
// without gaps. Of each 1,024 that are complete a summary is kept, so that a page of a long log is
// found without reading the log. What is removed, from the beginning only, leaves an anchor: the
// number and hash from which the rest can be verified.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/model.h"

namespace claviger {

/// Block b holds the numbers from b * 1024 + 1 on.
inline constexpr std::uint64_t entries_in_block = 1024;

/// An entry with this in its payload is in the chain, but not in the log as the API shows it:
/// a refreshed token.
inline constexpr std::string_view unlisted_mark = R"("action":"refresh")";

struct AuditSummary {
    Timestamp earliest;
    Timestamp latest;
    std::uint64_t listed = 0; // entries without the mark
};

/// Consecutive entries of a chain. Those without a summary must be read.
struct AuditBlock {
    std::uint64_t first = 0; // number
    std::uint64_t last = 0;  // inclusive
    std::optional<AuditSummary> summary;
};

using AuditVisitor = std::function<Result<void>(const AuditEntry&)>;

/// The chains as of the moment at which it was opened. Close it soon: it holds back what is
/// written meanwhile from the main file.
class AuditReader {
public:
    virtual ~AuditReader() = default;
    /// The last entry; the anchor when all have been removed.
    virtual Result<AuditHead> head(TenantId tenant) = 0;
    /// The last entry that was removed; zero when none was.
    virtual Result<AuditHead> anchor(TenantId tenant) = 0;
    /// The blocks, in order, that may hold entries from `from` to `to`, inclusive.
    virtual Result<std::vector<AuditBlock>> blocks(TenantId tenant, Timestamp from,
                                                   Timestamp to) = 0;
    /// The entries from number `first` to `last`, in order, as far as they are there.
    virtual Result<void> for_each(TenantId tenant, std::uint64_t first, std::uint64_t last,
                                  const AuditVisitor& visit) = 0;
};

class AuditSource {
public:
    virtual ~AuditSource() = default;
    virtual Result<std::unique_ptr<AuditReader>> open_audit_reader() = 0;
    /// Removes from the beginning of a chain what is older than `before`, in one transaction that
    /// is short; gives how many entries went. Zero: none are left to remove.
    virtual Result<std::uint64_t> remove_oldest(TenantId tenant, Timestamp before) = 0;
};

} // namespace claviger
