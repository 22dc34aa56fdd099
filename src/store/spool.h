// SPDX-License-Identifier: Apache-2.0
// The file that takes access events while their database cannot be written: its space is reserved
// in advance, so it works on a full disk. Each record carries its length and a CRC, so that a
// record torn by a power loss is recognised.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/model.h"
#include "store/file.h"

namespace claviger {

class Spool {
public:
    static constexpr std::uint64_t capacity_bytes = 4 * 1024 * 1024;

    /// Opens or makes the file and reads what is in it.
    static Result<Spool> open(const std::filesystem::path& path);

    /// What is in the file, in order.
    const std::vector<AuditEntry>& entries() const { return entries_; }

    /// Takes as many entries from the front as there is room for, makes them durable, and gives
    /// their number. Once one did not fit, nothing is taken until clear(): nothing may be recorded
    /// after an event that was lost. After a failure nothing is taken at all: what the disk holds
    /// is unknown.
    std::size_t append(std::span<const AuditEntry> entries);

    /// Empties the file durably, once its entries are safe elsewhere.
    Result<void> clear();

private:
    explicit Spool(File file) : file_(std::move(file)) {}

    void read(std::string_view bytes);

    File file_;
    std::vector<AuditEntry> entries_;
    std::uint64_t used_bytes_ = 0;
    bool full_ = false;
    bool failed_ = false;
};

} // namespace claviger
