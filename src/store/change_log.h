// SPDX-License-Identifier: Apache-2.0
// The table `change`: one numbered line for each row put, in the transaction that puts it. The
// number comes from a counter row, so numbers are in the order of commits and have no gaps.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/model.h"
#include "store/sqlite_connection.h"

namespace claviger {

/// The rows put so far in a transaction, and the number of the last one in the change log.
class ChangeLog {
public:
    explicit ChangeLog(Connection& connection) : connection_(connection) {}

    Result<void> begin();
    Result<void> record(Row row);
    /// For the listener only: the row has a number of its own.
    void announce(Row row) { rows_.push_back(std::move(row)); }
    /// Writes the counter; call before COMMIT.
    Result<void> finish();

    struct Mark {
        std::uint64_t number = 0;
        std::size_t rows = 0;
    };
    Mark mark() const { return {number_, rows_.size()}; }
    /// Forgets what came after the mark; the database forgets by its savepoint.
    void rewind(Mark mark);

    std::uint64_t number() const { return number_; }
    std::span<const Row> rows() const { return rows_; }

private:
    Connection& connection_;
    std::uint64_t number_ = 0;
    std::vector<Row> rows_;
};

} // namespace claviger
