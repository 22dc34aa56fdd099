// SPDX-License-Identifier: Apache-2.0
#include "store/backup_file.h"

#include <cerrno>
#include <optional>

#include <sys/stat.h>

#include "base/encoding.h"
#include "base/text.h"
#include "store/file.h"

namespace claviger {

namespace {

constexpr std::string_view format_line = "claviger-backup 1";

std::unexpected<Error> damaged(const std::string& what) {
    return fail(ErrorCode::invalid_request, "the backup is damaged or none of claviger: " + what);
}

/// Takes what stands before the next `end` from the front of `text`.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
    const auto at = text.find(end);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at + 1);
    return taken;
}

/// The rest of the next line, which must begin with `word` and a space.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view word) {
    const auto line = take_until(text, '\n');
    if (!line || !line->starts_with(word) || line->size() <= word.size()) {
        return std::nullopt;
    }
    return line->substr(word.size() + 1);
}

std::optional<BackupPart> read_part(std::string_view line) {
    const auto name = take_until(line, ' ');
    const auto schema = take_until(line, ' ').value_or("");
    const auto size = take_until(line, ' ').value_or("");
    const auto schema_version = parse_integer<std::int64_t>(schema);
    const auto bytes = parse_integer<std::uint64_t>(size);
    const auto digest = decode_hex(line);
    if (!name || !schema_version || !bytes || !digest || digest->size() != Digest{}.size()) {
        return std::nullopt;
    }
    BackupPart part{std::string(*name), *schema_version, *bytes, {}};
    std::ranges::copy(*digest, part.digest.begin());
    return part;
}

std::string lines_of(const BackupSummary& summary) {
    std::string lines(format_line);
    lines += "\ncreated " + format_rfc3339(summary.created_at) + "\n";
    for (const BackupPart& part : summary.parts) {
        lines += "part " + part.name + " " + std::to_string(part.schema_version) + " " +
                 std::to_string(part.bytes) + " " + hex(part.digest) + "\n";
    }
    return lines;
}

} // namespace

std::string print_backup_head(const BackupSummary& summary, const HashBytes& hash) {
    const std::string lines = lines_of(summary);
    return lines + "end " + hex(hash(as_bytes(lines))) + "\n";
}

Result<OpenedBackup> open_backup(std::span<const std::uint8_t> bytes, const HashBytes& hash) {
    std::string_view text = as_text(bytes);
    if (take_until(text, '\n') != format_line) {
        return damaged("its first line is not \"" + std::string(format_line) + "\"");
    }
    OpenedBackup backup;
    backup.summary.bytes = bytes.size();
    const auto created = parse_rfc3339(take_line(text, "created").value_or(""));
    if (!created) {
        return damaged("its second line names no time");
    }
    backup.summary.created_at = *created;
    for (const BackedUpDatabase& database : backed_up_databases) {
        const auto part = read_part(take_line(text, "part").value_or(""));
        if (!part || part->name != database.name) {
            return damaged("no line for " + std::string(database.name));
        }
        backup.summary.parts.push_back(*part);
    }
    const std::string head = print_backup_head(backup.summary, hash);
    if (!as_text(bytes).starts_with(head)) {
        return damaged("its first lines were changed");
    }
    auto rest = bytes.subspan(head.size());
    for (std::size_t i = 0; i < backup.parts.size(); ++i) {
        const BackupPart& part = backup.summary.parts[i];
        if (rest.size() < part.bytes || hash(rest.first(part.bytes)) != part.digest) {
            return damaged(part.name + " is not what was written");
        }
        backup.parts[i] = rest.first(part.bytes);
        rest = rest.subspan(part.bytes);
    }
    return rest.empty() ? Result<OpenedBackup>(std::move(backup)) : damaged("it has a tail");
}

Result<std::int64_t> check_database(const std::filesystem::path& file,
                                    const BackedUpDatabase& database) {
    const auto connection = TRY(Connection::open(file, Connection::Mode::read_only));
    const std::string verdict = TRY(connection->ask("PRAGMA integrity_check(1)"));
    if (verdict != "ok") {
        return fail(ErrorCode::internal, file.string() + " is damaged: " + verdict);
    }
    const std::int64_t version = TRY(schema_version(*connection));
    if (version < 1 || static_cast<std::size_t>(version) > database.migrations().size()) {
        return fail(ErrorCode::invalid_request,
                    std::string(database.name) + " has the schema " + std::to_string(version) +
                        ", which this version of claviger does not know");
    }
    return version;
}

namespace {

Result<void> outcome(const std::error_code& error, const std::string& what) {
    return error ? fail(ErrorCode::unavailable, what + ": " + error.message()) : Result<void>{};
}

} // namespace

Result<void> remove_tree(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    return outcome(error, "cannot remove " + path.string());
}

Result<void> make_directory(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), S_IRWXU) == 0) {
        return {};
    }
    if (errno != EEXIST) {
        return fail_with_errno("cannot make " + path.string());
    }
    std::error_code error;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
    return outcome(error, "cannot close " + path.string() + " to other users");
}

Result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code error;
    std::filesystem::rename(from, to, error);
    return outcome(error, "cannot rename " + from.string() + " to " + to.string());
}

} // namespace claviger
