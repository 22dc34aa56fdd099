// SPDX-License-Identifier: Apache-2.0
// Finds entries of a tenant's two audit chains by time, and by what is in them. Changes and
// accesses are one list, ordered by time; the order within a moment is that of the chains.
// Summaries of blocks (store/audit_source.h) keep a page of a long log cheap.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "api/audit_event.h"
#include "api/filter.h"
#include "store/audit_source.h"

namespace claviger {

enum class AuditChain : std::uint8_t { changes, accesses };

/// Names an entry, and orders entries.
struct AuditPosition {
    Timestamp at;
    AuditChain chain = AuditChain::changes;
    std::uint64_t number = 0;
    friend auto operator<=>(const AuditPosition&, const AuditPosition&) = default;
};

struct AuditQuery {
    TenantId tenant{};
    Timestamp start;
    Timestamp end; // inclusive
    ListRequest list;
    Page page;
    std::string_view base_url; // of the tenant
};

struct AuditPage {
    std::size_t total = 0;
    std::vector<AuditPosition> entries;
};

struct AuditLimits {
    std::uint64_t most_examined = 2'000'000; // entries that are read for one answer
    std::size_t deepest_page = 100'000;      // last row of a page that is filtered or sorted
};

class AuditSearch {
public:
    /// As of now. Use it soon and let it go.
    static Result<AuditSearch> open(AuditSource& changes, AuditSource& accesses,
                                    AuditLimits limits = {});

    /// `invalid_request` when too much would have to be examined.
    Result<AuditPage> find(const AuditQuery& query);

    /// The entries as far as they are still there, in the order of `positions`.
    Result<std::vector<AuditEntry>> fetch(TenantId tenant,
                                          std::span<const AuditPosition> positions);

private:
    /// A part of one chain: what lies in the asked time, and when.
    struct Part {
        AuditChain chain;
        AuditBlock block;
        Timestamp earliest;
        Timestamp latest;
        std::uint64_t listed = 0;
    };
    using Readers = std::array<std::unique_ptr<AuditReader>, 2>;
    using Visit = std::function<void(const AuditEntry&)>;

    AuditSearch(Readers readers, AuditLimits limits)
        : readers_(std::move(readers)), limits_(limits) {}

    AuditReader& reader(AuditChain chain) { return *readers_[static_cast<std::size_t>(chain)]; }
    Result<AuditPage> find_by_time(const AuditQuery& query, bool descending);
    Result<AuditPage> find_by_content(const AuditQuery& query);
    Result<std::vector<Part>> parts(const AuditQuery& query);
    Result<Part> measure(const AuditQuery& query, AuditChain chain, const AuditBlock& block);
    Result<std::vector<AuditPosition>> ranked(const AuditQuery& query, std::vector<Part> parts,
                                              std::uint64_t begin, std::uint64_t end);
    Result<void> for_each_listed(const AuditQuery& query, AuditChain chain, const AuditBlock& block,
                                 const Visit& visit);

    Readers readers_;
    AuditLimits limits_;
    std::uint64_t examined_ = 0;
};

} // namespace claviger
