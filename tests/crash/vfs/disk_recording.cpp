// SPDX-License-Identifier: Apache-2.0
#include "disk_recording.h"

#include <algorithm>
#include <fstream>

namespace claviger::testing {

namespace {

constexpr std::size_t sector_bytes = 512;

std::string name_of(std::string_view path) {
    return std::filesystem::path(path).filename();
}

} // namespace

std::size_t DiskRecording::now() const {
    const std::scoped_lock lock(mutex_);
    return operations_.size();
}

int DiskRecording::add(Operation operation) {
    const std::scoped_lock lock(mutex_);
    operations_.push_back(std::move(operation));
    return SQLITE_OK;
}

int DiskRecording::on_write(std::string_view path, std::int64_t offset, std::string_view bytes) {
    return add({Kind::write, name_of(path), static_cast<std::size_t>(offset), std::string(bytes)});
}

int DiskRecording::on_truncate(std::string_view path, std::int64_t size) {
    return add({Kind::truncate, name_of(path), static_cast<std::size_t>(size)});
}

int DiskRecording::on_sync(std::string_view path) {
    return add({Kind::sync, name_of(path)});
}

int DiskRecording::on_delete(std::string_view path) {
    return add({Kind::remove, name_of(path)});
}

std::vector<bool> DiskRecording::safe_before(std::size_t moment) const {
    std::map<std::string, bool> synced_later;
    std::vector<bool> safe(moment);
    for (std::size_t i = moment; i-- > 0;) {
        const Operation& operation = operations_[i];
        if (operation.kind == Kind::sync) {
            synced_later[operation.file] = true;
        }
        safe[i] = operation.kind == Kind::remove ? !synced_later.empty()
                                                 : synced_later.contains(operation.file);
    }
    return safe;
}

void DiskRecording::apply(const Operation& operation, std::size_t length, Disk& disk) {
    if (operation.kind == Kind::remove) {
        disk.erase(operation.file);
        return;
    }
    std::string& content = disk[operation.file];
    if (operation.kind == Kind::truncate) {
        content.resize(operation.offset);
    } else if (operation.kind == Kind::write) {
        content.resize(std::max(content.size(), operation.offset + length));
        content.replace(operation.offset, length, operation.bytes, 0, length);
    }
}

void DiskRecording::rebuild(std::size_t moment, Unsynced unsynced, std::mt19937_64& random,
                            const std::filesystem::path& directory) const {
    const std::vector<bool> safe = safe_before(moment);
    Disk disk;
    for (std::size_t i = 0; i < moment; ++i) {
        const Operation& operation = operations_[i];
        std::size_t length = operation.bytes.size();
        if (!safe[i] && unsynced == Unsynced::nothing) {
            continue;
        }
        if (!safe[i] && unsynced == Unsynced::some_torn) {
            if (random() % 2 == 0) {
                continue;
            }
            if (length > sector_bytes && random() % 3 == 0) {
                length = sector_bytes * (1 + random() % (length / sector_bytes));
            }
        }
        apply(operation, std::min(length, operation.bytes.size()), disk);
    }
    for (const auto& [name, content] : disk) {
        std::ofstream(directory / name, std::ios::binary) << content;
    }
}

} // namespace claviger::testing
