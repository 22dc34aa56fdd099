// SPDX-License-Identifier: Apache-2.0
#include "store/restore.h"

#include <array>

#include <fcntl.h>

#include "base/encoding.h"
#include "store/backup_file.h"
#include "store/file.h"

namespace claviger {

namespace {

constexpr std::string_view folder_name = "restoring";
constexpr std::string_view marker_name = "ready"; // holds the name of the folder for old files
constexpr std::size_t longest_name = 128;

Result<void> write_durably(const std::filesystem::path& path, std::string_view bytes) {
    const File file = TRY(File::open(path, O_WRONLY | O_CREAT | O_TRUNC));
    give_to_owner_of(path.parent_path(), path);
    TRY(file.write_at(0, bytes));
    return file.sync();
}

Result<void> unpack(const OpenedBackup& backup, const std::filesystem::path& folder) {
    for (std::size_t i = 0; i < backed_up_databases.size(); ++i) {
        const auto file = folder / backed_up_databases[i].name;
        TRY(write_durably(file, as_text(backup.parts[i])));
        TRY(check_database(file, backed_up_databases[i]));
    }
    return {};
}

Result<void> write_marker(const std::filesystem::path& folder, Timestamp now) {
    std::string name = "before-restore-" + format_rfc3339(now);
    std::erase(name, ':');
    const auto unfinished = folder / "ready.unfinished";
    TRY(write_durably(unfinished, name));
    TRY(sync_directory(folder));
    TRY(rename_file(unfinished, folder / marker_name));
    return sync_directory(folder);
}

/// The files that belong to one database beside its main file.
std::vector<std::string> files_of(std::string_view database) {
    const std::string name(database);
    std::vector<std::string> files{name, name + "-wal", name + "-shm", name + "-journal"};
    if (database == audit_file_name) {
        files.emplace_back(spool_file_name);
    }
    return files;
}

/// Each step may be repeated: what has moved is not there to be moved again.
Result<void> swap(const std::filesystem::path& directory, const std::filesystem::path& folder,
                  const std::filesystem::path& before) {
    TRY(make_directory(before));
    give_to_owner_of(directory, before);
    for (const BackedUpDatabase& database : backed_up_databases) {
        const auto restored = folder / database.name;
        if (!std::filesystem::exists(restored)) {
            continue;
        }
        for (const std::string& name : files_of(database.name)) {
            if (std::filesystem::exists(directory / name)) {
                TRY(rename_file(directory / name, before / name));
            }
        }
        TRY(sync_directory(before));
        TRY(sync_directory(directory));
        TRY(rename_file(restored, directory / database.name));
        TRY(sync_directory(directory));
    }
    return {};
}

} // namespace

Result<BackupSummary> restore(const std::filesystem::path& file, const DataDirectory& directory,
                              Timestamp now, const HashBytes& hash) {
    const MappedFile mapped = TRY(MappedFile::open(file));
    OpenedBackup backup = TRY(open_backup(mapped.bytes(), hash));
    TRY(finish_interrupted_restore(directory));
    const auto folder = directory.path() / folder_name;
    TRY(make_directory(folder));
    give_to_owner_of(directory.path(), folder);
    const auto unpacked = unpack(backup, folder);
    if (!unpacked) {
        TRY(remove_tree(folder));
        return std::unexpected(unpacked.error());
    }
    TRY(write_marker(folder, now));
    TRY(finish_interrupted_restore(directory));
    return std::move(backup.summary);
}

Result<void> finish_interrupted_restore(const DataDirectory& directory) {
    const auto folder = directory.path() / folder_name;
    const auto marker = folder / marker_name;
    if (std::filesystem::exists(marker)) {
        const File file = TRY(File::open(marker, O_RDONLY));
        const std::string before = TRY(file.read_at(0, longest_name));
        TRY(swap(directory.path(), folder, directory.path() / before));
    }
    TRY(remove_tree(folder));
    return sync_directory(directory.path());
}

} // namespace claviger
