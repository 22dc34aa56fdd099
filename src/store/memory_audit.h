// SPDX-License-Identifier: Apache-2.0
// Chains of audit events in memory, for the stores of tests.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "store/audit_source.h"

namespace claviger {

struct MemoryChain {
    AuditHead anchor;
    std::vector<AuditEntry> entries;

    AuditHead head() const {
        return entries.empty() ? anchor : AuditHead{entries.back().number, entries.back().hash};
    }
    /// Gives how many entries went.
    std::uint64_t remove_older_than(Timestamp before);
};
using MemoryChains = std::map<TenantId, MemoryChain>;

/// Of a copy.
std::unique_ptr<AuditReader> read_chains(MemoryChains chains);

} // namespace claviger
