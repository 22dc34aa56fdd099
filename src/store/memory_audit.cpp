// SPDX-License-Identifier: Apache-2.0
#include "store/memory_audit.h"

#include <algorithm>

namespace claviger {

namespace {

class MemoryAuditReader final : public AuditReader {
public:
    explicit MemoryAuditReader(MemoryChains chains) : chains_(std::move(chains)) {}

    Result<AuditHead> head(TenantId tenant) override { return chains_[tenant].head(); }
    Result<AuditHead> anchor(TenantId tenant) override { return chains_[tenant].anchor; }

    Result<std::vector<AuditBlock>> blocks(TenantId tenant, Timestamp from, Timestamp to) override {
        std::vector<AuditBlock> blocks;
        for (const AuditEntry& entry : chains_[tenant].entries) {
            if (blocks.empty() || entry.number % entries_in_block == 1) {
                blocks.push_back({entry.number, entry.number, AuditSummary{entry.at, entry.at}});
            }
            AuditBlock& block = blocks.back();
            AuditSummary& summary = *block.summary;
            block.last = entry.number;
            summary.earliest = std::min(summary.earliest, entry.at);
            summary.latest = std::max(summary.latest, entry.at);
            summary.listed += entry.payload.contains(unlisted_mark) ? 0U : 1U;
        }
        for (AuditBlock& block : blocks) {
            if (block.last - block.first + 1 < entries_in_block) {
                block.summary.reset(); // as the other stores, which know complete blocks only
            }
        }
        std::erase_if(blocks, [&](const AuditBlock& block) {
            return block.summary && (block.summary->latest < from || block.summary->earliest > to);
        });
        return blocks;
    }

    Result<void> for_each(TenantId tenant, std::uint64_t first, std::uint64_t last,
                          const AuditVisitor& visit) override {
        for (const AuditEntry& entry : chains_[tenant].entries) {
            if (entry.number >= first && entry.number <= last) {
                TRY(visit(entry));
            }
        }
        return {};
    }

private:
    MemoryChains chains_;
};

} // namespace

std::uint64_t MemoryChain::remove_older_than(Timestamp before) {
    const auto end =
        std::ranges::find_if(entries, [&](const AuditEntry& entry) { return entry.at >= before; });
    const auto count = static_cast<std::uint64_t>(end - entries.begin());
    if (count > 0) {
        const AuditEntry& last = *std::prev(end);
        anchor = {last.number, last.hash};
        entries.erase(entries.begin(), end);
    }
    return count;
}

std::unique_ptr<AuditReader> read_chains(MemoryChains chains) {
    return std::make_unique<MemoryAuditReader>(std::move(chains));
}

} // namespace claviger
