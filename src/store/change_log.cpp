// SPDX-License-Identifier: Apache-2.0
#include "store/change_log.h"

#include "store/row_facts.h"

namespace claviger {

Result<void> ChangeLog::begin() {
    rows_.clear();
    Statement counter = TRY(connection_.query("SELECT number FROM change_counter"));
    TRY(counter.step());
    number_ = static_cast<std::uint64_t>(counter.integer(0));
    return {};
}

Result<void> ChangeLog::record(Row row) {
    const RowFacts facts = facts_of(row);
    TRY(connection_.run("INSERT INTO change (number, tenant, noun, id, at) VALUES (?, ?, ?, ?, ?)",
                        number_ + 1, facts.tenant, facts.noun, facts.id, facts.at));
    ++number_;
    rows_.push_back(std::move(row));
    return {};
}

Result<void> ChangeLog::finish() {
    return rows_.empty() ? Result<void>{}
                         : connection_.run("UPDATE change_counter SET number = ?", number_);
}

void ChangeLog::rewind(Mark mark) {
    number_ = mark.number;
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(mark.rows), rows_.end());
}

} // namespace claviger
