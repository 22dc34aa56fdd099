// SPDX-License-Identifier: Apache-2.0
// A backup is one file: a few lines of text that name the parts with size and digest, then the
// parts themselves, which are the two databases. It does not hold the master key. Events that wait
// in the spool while the disk is full come with the next backup.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/model.h"

namespace claviger {

struct BackupPart {
    std::string name; // of the file in the data directory
    std::int64_t schema_version = 0;
    std::uint64_t bytes = 0;
    Digest digest{};
};

struct BackupSummary {
    Timestamp created_at;
    std::vector<BackupPart> parts;
    std::uint64_t bytes = 0; // of the whole file
};

/// SHA-256 of bytes; given by the caller, because this module has no cryptography.
using HashBytes = std::function<Digest(std::span<const std::uint8_t>)>;

/// Copies the databases of a data directory, in use or not, each as of one moment. The file appears
/// under its name only when it is complete, checked and durable; an existing one is replaced.
Result<BackupSummary> back_up(const std::filesystem::path& directory,
                              const std::filesystem::path& file, Timestamp now,
                              const HashBytes& hash);

/// Reads the whole file and compares every size and digest.
Result<BackupSummary> verify_backup(const std::filesystem::path& file, const HashBytes& hash);

} // namespace claviger
