// SPDX-License-Identifier: Apache-2.0
// The operator commands that take a tenant out as a document, and put one in.
#include <filesystem>

#include <fcntl.h>

#include "cli/operator_text.h"
#include "cli/tenant_export.h"
#include "cli/tenant_import.h"
#include "store/file.h"

namespace claviger {
namespace {

/// Large enough for a million rules; a document is read whole.
constexpr std::uint64_t longest_document = std::uint64_t{1} << 30; // bytes

Result<std::string> read_document(const std::string& path) {
    const File file = TRY(File::open(path, O_RDONLY));
    const std::uint64_t size = TRY(file.size());
    if (size > longest_document) {
        return fail(ErrorCode::too_large, path + " is larger than 1 GiB");
    }
    return file.read_at(0, size);
}

/// Writes beside `path` and moves into place, so that there is always a whole document.
Result<std::uint64_t> write_document(const std::string& path, const TenantState& state) {
    const std::string partial = path + ".partial";
    std::uint64_t written = 0;
    const auto write_all = [&]() -> Result<void> {
        const File file = TRY(File::open(partial, O_WRONLY | O_CREAT | O_TRUNC));
        TRY(write_tenant_document(state, [&](std::string_view piece) -> Result<void> {
            TRY(file.write_at(written, piece));
            written += piece.size();
            return {};
        }));
        return file.sync();
    };
    std::error_code failed;
    if (auto done = write_all(); !done) {
        std::filesystem::remove(partial, failed);
        return std::unexpected(std::move(done).error());
    }
    std::filesystem::rename(partial, path, failed);
    if (failed) {
        return fail(ErrorCode::unavailable, path + ": " + failed.message());
    }
    return written;
}

Lines lines_of(const std::string& file, const std::vector<DocumentProblem>& problems) {
    Lines lines{"nothing was imported from " + file + ": " + std::to_string(problems.size()) +
                (problems.size() == 1 ? " problem" : " problems")};
    for (const DocumentProblem& problem : problems) {
        lines.push_back("line " + std::to_string(problem.line) + ": " + problem.text);
    }
    return lines;
}

Lines lines_of(const std::string& realm, const TenantImport& import) {
    Lines lines{"imported into tenant " + realm};
    for (const auto& [section, count] : import.added()) {
        lines.push_back("  " + section + ": " + std::to_string(count) + " added");
    }
    lines.push_back("  " + std::to_string(import.unchanged()) + " were there already");
    if (!import.added().empty()) {
        lines.emplace_back("Secrets are not part of it: reset the passwords of users, regenerate "
                           "the secrets of accounts and keys.");
    }
    return lines;
}

} // namespace

Result<TenantStatePointer> Operations::find_tenant(const OperatorRequest& request) const {
    const auto directory = tenants_in_memory_.current();
    const auto at = request.arguments.find("tenant");
    if (at == request.arguments.end()) {
        if (directory->tenants.size() == 1) {
            return directory->tenants.front();
        }
        return fail(ErrorCode::invalid_request, "say which tenant with --tenant REALM: there are " +
                                                    std::to_string(directory->tenants.size()));
    }
    for (const TenantStatePointer& state : directory->tenants) {
        if (state->tenant.realm == at->second) {
            return state;
        }
    }
    return fail(ErrorCode::not_found, "there is no tenant with the realm " + at->second);
}

Result<OperatorAnswer> Operations::export_tenant(const OperatorRequest& request) const {
    const TenantStatePointer state = TRY(find_tenant(request));
    const std::string path = TRY(argument(request, "file"));
    const std::uint64_t size = TRY(write_document(path, *state));
    return OperatorAnswer{true,
                          {"tenant " + state->tenant.realm + " exported to " + path + ", " +
                           std::to_string(size) + " bytes"}};
}

Result<OperatorAnswer> Operations::import_tenant(const OperatorRequest& request) {
    const TenantStatePointer before = TRY(find_tenant(request));
    const TenantId tenant = before->tenant.id;
    const std::string path = TRY(argument(request, "file"));
    const std::string text = TRY(read_document(path));
    const auto document = read_tenant_document(text);
    if (!document) {
        return OperatorAnswer{false, lines_of(path, {document.error()})};
    }
    OperatorAnswer answer;
    const auto done = store_.write([&](Transaction& transaction) -> Result<void> {
        const TenantStatePointer state = tenants_in_memory_.current()->find(tenant);
        TenantImport import(*state, transaction, clock_.now(), random_);
        TRY(import.run(*document));
        answer.ok = import.problems().empty();
        answer.lines =
            answer.ok ? lines_of(state->tenant.realm, import) : lines_of(path, import.problems());
        return answer.ok ? Result<void>{} : fail(ErrorCode::invalid_request, "there are problems");
    });
    if (!done && (answer.lines.empty() || answer.ok)) {
        return std::unexpected(done.error());
    }
    return answer;
}

} // namespace claviger
