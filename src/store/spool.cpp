// SPDX-License-Identifier: Apache-2.0
#include "store/spool.h"

#include <cstring>
#include <optional>

#include <fcntl.h>

#include "base/encoding.h"
#include "store/data_directory.h"

namespace claviger {

namespace {

// Only this machine reads the file, so numbers stand in its own byte order.
struct RecordHead {
    std::uint32_t size = 0; // of what follows; 0 ends the file
    std::uint32_t crc = 0;  // of the same
};
struct Fields {
    std::int64_t at = 0;
    std::uint64_t number = 0;
    std::int64_t tenant = 0;
    Digest hash{};
};

template <class Plain>
std::string_view bytes_of(const Plain& plain) {
    return {reinterpret_cast<const char*>(&plain), sizeof plain};
}

void append_record(std::string& out, const AuditEntry& entry) {
    const Fields fields{entry.at.microseconds, entry.number, number_of(entry.tenant), entry.hash};
    std::string body(bytes_of(fields));
    body += entry.payload;
    const RecordHead head{static_cast<std::uint32_t>(body.size()), crc32(body)};
    out.append(bytes_of(head)).append(body);
}

/// The first record of `bytes` and its length, if it is whole.
std::optional<std::pair<AuditEntry, std::size_t>> read_record(std::string_view bytes) {
    RecordHead head;
    if (bytes.size() < sizeof head) {
        return std::nullopt;
    }
    std::memcpy(&head, bytes.data(), sizeof head);
    const std::string_view body = bytes.substr(sizeof head, head.size);
    if (head.size < sizeof(Fields) || body.size() != head.size || crc32(body) != head.crc) {
        return std::nullopt;
    }
    Fields fields;
    std::memcpy(&fields, body.data(), sizeof fields);
    AuditEntry entry{TenantId{static_cast<std::int32_t>(fields.tenant)}, fields.number,
                     Timestamp{fields.at}, std::string(body.substr(sizeof fields)), fields.hash};
    return std::pair(std::move(entry), sizeof head + body.size());
}

} // namespace

Result<Spool> Spool::open(const std::filesystem::path& path) {
    File file = TRY(File::open(path, O_RDWR | O_CREAT));
    give_to_owner_of(path.parent_path(), path);
    Spool spool(std::move(file));
    TRY(spool.file_.allocate(capacity_bytes));
    TRY(spool.file_.sync());
    TRY(sync_directory(path.parent_path()));
    const std::string bytes = TRY(spool.file_.read_at(0, capacity_bytes));
    spool.read(bytes);
    const std::string empty(capacity_bytes - spool.used_bytes_, '\0');
    if (bytes.compare(spool.used_bytes_, std::string::npos, empty) != 0) {
        // A torn tail: it was never acknowledged, and must not be read after later records.
        TRY(spool.file_.write_at(spool.used_bytes_, empty));
        TRY(spool.file_.sync());
    }
    return spool;
}

void Spool::read(std::string_view bytes) {
    while (auto record = read_record(bytes.substr(used_bytes_))) {
        entries_.push_back(std::move(record->first));
        used_bytes_ += record->second;
    }
}

std::size_t Spool::append(std::span<const AuditEntry> entries) {
    std::string bytes;
    std::size_t taken = 0;
    while (!failed_ && !full_ && taken < entries.size()) {
        const std::size_t before = bytes.size();
        append_record(bytes, entries[taken]);
        full_ = used_bytes_ + bytes.size() > capacity_bytes;
        if (full_) {
            bytes.resize(before);
        } else {
            ++taken;
        }
    }
    if (taken == 0) {
        return 0;
    }
    if (!file_.write_at(used_bytes_, bytes) || !file_.sync()) {
        failed_ = true;
        return 0;
    }
    used_bytes_ += bytes.size();
    entries_.insert(entries_.end(), entries.begin(),
                    entries.begin() + static_cast<std::ptrdiff_t>(taken));
    return taken;
}

Result<void> Spool::clear() {
    const auto cleared = [&]() -> Result<void> {
        TRY(file_.write_at(0, std::string(used_bytes_, '\0')));
        return file_.sync();
    }();
    if (!cleared) {
        failed_ = true; // old records may be left: nothing may be written before them
        return cleared;
    }
    entries_.clear();
    used_bytes_ = 0;
    full_ = false;
    return {};
}

} // namespace claviger
