// SPDX-License-Identifier: Apache-2.0
#include "store/backup.h"

#include <fcntl.h>

#include "base/encoding.h"
#include "store/backup_file.h"
#include "store/data_directory.h"
#include "store/file.h"

namespace claviger {

namespace {

/// Copies one database as of now with a reading connection, and checks the copy.
Result<BackupPart> copy_database(const std::filesystem::path& from, const std::filesystem::path& to,
                                 const BackedUpDatabase& database, const HashBytes& hash) {
    const auto reader = TRY(Connection::open(from, Connection::Mode::read_only));
    TRY(File::open(to, O_WRONLY | O_CREAT | O_EXCL)); // else SQLite lets others read the copy
    TRY(reader->run("VACUUM INTO ?", to.string()));
    BackupPart part;
    part.name = database.name;
    part.schema_version = TRY(check_database(to, database));
    const MappedFile copy = TRY(MappedFile::open(to));
    part.bytes = copy.bytes().size();
    part.digest = hash(copy.bytes());
    return part;
}

/// Puts the head and the copies in `folder` together.
Result<void> write_backup(const std::filesystem::path& to, const BackupSummary& summary,
                          const std::filesystem::path& folder, const HashBytes& hash) {
    const File file = TRY(File::open(to, O_WRONLY | O_CREAT | O_TRUNC));
    const std::string head = print_backup_head(summary, hash);
    TRY(file.write_at(0, head));
    std::uint64_t offset = head.size();
    for (const BackupPart& part : summary.parts) {
        const MappedFile copy = TRY(MappedFile::open(folder / part.name));
        TRY(file.write_at(offset, as_text(copy.bytes())));
        offset += copy.bytes().size();
    }
    return file.sync();
}

Result<BackupSummary> back_up_through(const std::filesystem::path& folder,
                                      const std::filesystem::path& directory,
                                      const std::filesystem::path& file, Timestamp now,
                                      const HashBytes& hash) {
    BackupSummary summary;
    summary.created_at = now;
    for (const BackedUpDatabase& database : backed_up_databases) {
        BackupPart part =
            TRY(copy_database(directory / database.name, folder / database.name, database, hash));
        summary.parts.push_back(std::move(part));
    }
    const auto written = folder / "backup";
    TRY(write_backup(written, summary, folder, hash));
    BackupSummary checked = TRY(verify_backup(written, hash));
    TRY(rename_file(written, file));
    TRY(sync_directory(file.parent_path()));
    return checked;
}

} // namespace

Result<BackupSummary> back_up(const std::filesystem::path& directory,
                              const std::filesystem::path& file, Timestamp now,
                              const HashBytes& hash) {
    std::error_code error;
    const auto target = std::filesystem::absolute(file, error);
    auto folder = target; // beside the target, so that the rename stays in one file system
    folder += ".unfinished";
    TRY(remove_tree(folder));
    TRY(make_directory(folder));
    auto done = back_up_through(folder, directory, target, now, hash);
    TRY(remove_tree(folder));
    return done;
}

Result<BackupSummary> verify_backup(const std::filesystem::path& file, const HashBytes& hash) {
    const MappedFile mapped = TRY(MappedFile::open(file));
    OpenedBackup backup = TRY(open_backup(mapped.bytes(), hash));
    return std::move(backup.summary);
}

} // namespace claviger
