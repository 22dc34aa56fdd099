// SPDX-License-Identifier: Apache-2.0
#include "api/audit_search.h"

#include <algorithm>

namespace claviger {
namespace {

constexpr std::array chains{AuditChain::changes, AuditChain::accesses};

bool is_by_time(const ListRequest& list, std::optional<std::size_t> sort_by) {
    const bool sorts_by_time = !sort_by || audit_fields()[*sort_by].name == "timestamp";
    return sorts_by_time &&
           (!list.filter_by || std::ranges::all_of(list.filter_by->values, &std::string::empty));
}

} // namespace

Result<AuditSearch> AuditSearch::open(AuditSource& changes, AuditSource& accesses,
                                      AuditLimits limits) {
    Readers readers;
    readers[0] = TRY(changes.open_audit_reader());
    readers[1] = TRY(accesses.open_audit_reader());
    return AuditSearch(std::move(readers), limits);
}

Result<AuditPage> AuditSearch::find(const AuditQuery& query) {
    std::vector<std::string_view> names;
    for (const auto& field : audit_fields()) {
        names.push_back(field.name);
    }
    const auto sort_by = TRY(sort_field(query.list, names));
    const bool descending = TRY(is_descending(query.list));
    return is_by_time(query.list, sort_by) ? find_by_time(query, descending)
                                           : find_by_content(query);
}

/// Visits what is listed and within the asked time.
Result<void> AuditSearch::for_each_listed(const AuditQuery& query, AuditChain chain,
                                          const AuditBlock& block, const Visit& visit) {
    examined_ += block.last - block.first + 1;
    if (examined_ > limits_.most_examined) {
        return fail(ErrorCode::invalid_request,
                    "more than " + std::to_string(limits_.most_examined) +
                        " events would have to be examined; narrow start and end");
    }
    return reader(chain).for_each(
        query.tenant, block.first, block.last, [&](const AuditEntry& entry) -> Result<void> {
            const bool is_in_time = entry.at >= query.start && entry.at <= query.end;
            if (is_in_time && !entry.payload.contains(unlisted_mark)) {
                visit(entry);
            }
            return {};
        });
}

/// What of a block that lies in the asked time in part, or is not summarised.
Result<AuditSearch::Part> AuditSearch::measure(const AuditQuery& query, AuditChain chain,
                                               const AuditBlock& block) {
    Part part{chain, block, query.end, query.start};
    TRY(for_each_listed(query, chain, block, [&](const AuditEntry& entry) {
        part.earliest = std::min(part.earliest, entry.at);
        part.latest = std::max(part.latest, entry.at);
        ++part.listed;
    }));
    return part;
}

Result<std::vector<AuditSearch::Part>> AuditSearch::parts(const AuditQuery& query) {
    std::vector<Part> parts;
    for (const AuditChain chain : chains) {
        const auto blocks = TRY(reader(chain).blocks(query.tenant, query.start, query.end));
        for (const AuditBlock& block : blocks) {
            const auto& summary = block.summary;
            const bool lies_within =
                summary && summary->earliest >= query.start && summary->latest <= query.end;
            Part part{chain, block, {}, {}};
            if (lies_within) {
                part = {chain, block, summary->earliest, summary->latest, summary->listed};
            } else {
                part = TRY(measure(query, chain, block));
            }
            if (part.listed > 0) {
                parts.push_back(part);
            }
        }
    }
    return parts;
}

Result<AuditPage> AuditSearch::find_by_time(const AuditQuery& query, bool descending) {
    auto found = TRY(parts(query));
    AuditPage page;
    for (const Part& part : found) {
        page.total += part.listed;
    }
    const std::size_t offset = std::min(query.page.offset, page.total);
    const std::size_t count = std::min(query.page.limit, page.total - offset);
    if (count == 0) {
        return page;
    }
    const std::size_t begin = descending ? page.total - offset - count : offset;
    page.entries = TRY(ranked(query, std::move(found), begin, begin + count));
    if (descending) {
        std::ranges::reverse(page.entries);
    }
    return page;
}

/// Those that have between `begin` and `end` entries before them in time. Only the parts that may
/// hold them are read: not those that end before so many have begun that the first cannot be among
/// them, nor those that begin when the last must have been.
Result<std::vector<AuditPosition>> AuditSearch::ranked(const AuditQuery& query,
                                                       std::vector<Part> parts, std::uint64_t begin,
                                                       std::uint64_t end) {
    Timestamp not_before = query.start;
    std::uint64_t begun = 0; // entries of parts that begin before the one at hand
    std::ranges::sort(parts, {}, &Part::earliest);
    for (const Part& part : parts) {
        if (begun > begin) {
            break;
        }
        not_before = part.earliest;
        begun += part.listed;
    }
    Timestamp not_after = query.end;
    std::uint64_t ended = 0; // entries of parts that end no later than the one at hand
    std::ranges::sort(parts, {}, &Part::latest);
    for (const Part& part : parts) {
        ended += part.listed;
        if (ended >= end) {
            not_after = part.latest;
            break;
        }
    }
    std::uint64_t skipped = 0;
    std::vector<AuditPosition> kept;
    for (const Part& part : parts) {
        if (part.latest < not_before) {
            skipped += part.listed;
        } else if (part.earliest <= not_after) {
            TRY(for_each_listed(query, part.chain, part.block, [&](const AuditEntry& entry) {
                if (entry.at < not_before) {
                    ++skipped;
                } else if (entry.at <= not_after) {
                    kept.push_back({entry.at, part.chain, entry.number});
                }
            }));
        }
    }
    if (skipped > begin || kept.size() < end - skipped) {
        return fail(ErrorCode::internal, "the summaries of audit events are not true");
    }
    std::ranges::sort(kept);
    const auto first = kept.begin() + static_cast<std::ptrdiff_t>(begin - skipped);
    return std::vector<AuditPosition>(first, first + static_cast<std::ptrdiff_t>(end - begin));
}

Result<AuditPage> AuditSearch::find_by_content(const AuditQuery& query) {
    if (query.page.offset + query.page.limit > limits_.deepest_page) {
        return fail(ErrorCode::invalid_request,
                    "with a filter or an order, a page must end before row " +
                        std::to_string(limits_.deepest_page) + "; narrow start and end");
    }
    auto walk = TRY((
        PageWalk<AuditRow, AuditPosition>::begin(query.list, query.page, audit_fields(), nullptr)));
    ParsedEvent parsed;
    for (const AuditChain chain : chains) {
        const auto blocks = TRY(reader(chain).blocks(query.tenant, query.start, query.end));
        for (const AuditBlock& block : blocks) {
            TRY(for_each_listed(query, chain, block, [&](const AuditEntry& entry) {
                // The row looks at `parsed` only here: it is shown by its position.
                walk.offer({entry.at, chain, entry.number},
                           {&parsed.read(entry.payload), entry.at, query.base_url});
            }));
        }
    }
    return AuditPage{walk.total(), walk.positions()};
}

Result<std::vector<AuditEntry>> AuditSearch::fetch(TenantId tenant,
                                                   std::span<const AuditPosition> positions) {
    std::vector<AuditEntry> entries;
    entries.reserve(positions.size());
    for (const AuditPosition& position : positions) {
        TRY(reader(position.chain)
                .for_each(tenant, position.number, position.number,
                          [&](const AuditEntry& entry) -> Result<void> {
                              entries.push_back(entry);
                              return {};
                          }));
    }
    return entries;
}

} // namespace claviger
