// SPDX-License-Identifier: Apache-2.0
#include "auth/revocation_table.h"

namespace claviger {
namespace {

bool is_of_an_id(const Revocation& revocation) {
    return revocation.kind == RevocationKind::token || revocation.kind == RevocationKind::session;
}

} // namespace

RevocationTable RevocationTable::build(const std::vector<Revocation>& rows) {
    RevocationTable table;
    std::vector<Ended> ended;
    for (const Revocation& row : rows) {
        if (is_of_an_id(row)) {
            ended.push_back({row.id, row.number});
        }
    }
    table.ended_ = decltype(table.ended_)::build(std::move(ended));
    // What has expired was removed from between: only the end without gaps counts.
    std::size_t from = rows.size();
    while (from > 0 && rows.size() - from < least_recent &&
           (from == rows.size() || rows[from - 1].number + 1 == rows[from].number)) {
        --from;
    }
    for (; from < rows.size(); ++from) {
        table.append(rows[from]);
    }
    return table;
}

void RevocationTable::put(const Revocation& revocation) {
    if (revocation.deleted_at) {
        if (is_of_an_id(revocation)) {
            ended_ = ended_.remove(revocation.id, [&](const Ended& ended) {
                return ended.number == revocation.number;
            });
        }
        return;
    }
    if (is_of_an_id(revocation)) {
        ended_ = ended_.add({revocation.id, revocation.number});
    }
    append(revocation);
}

void RevocationTable::append(const Revocation& revocation) {
    auto next = std::make_shared<Recent>(*recent_);
    if (next->size == 0) {
        next->first = revocation.number;
    }
    if (next->size % chunk_size == 0) {
        next->chunks.push_back(std::make_shared<const Chunk>());
    }
    Chunk last = *next->chunks.back();
    last.push_back(revocation);
    next->chunks.back() = std::make_shared<const Chunk>(std::move(last));
    ++next->size;
    if (next->size == least_recent + chunk_size) {
        next->chunks.erase(next->chunks.begin());
        next->first += chunk_size;
        next->size -= chunk_size;
    }
    recent_ = std::move(next);
}

const Revocation* RevocationTable::find(std::uint64_t number) const {
    const Recent& recent = *recent_;
    if (number < recent.first || number - recent.first >= recent.size) {
        return nullptr;
    }
    const std::uint64_t position = number - recent.first;
    return &(*recent.chunks[position / chunk_size])[position % chunk_size];
}

} // namespace claviger
