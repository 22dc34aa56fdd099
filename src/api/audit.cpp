// SPDX-License-Identifier: Apache-2.0
// The audit log (contract 2.12).
#include "api/audit_search.h"
#include "api/resources.h"

namespace claviger {
namespace {

constexpr std::int64_t usual_samples = 20;
constexpr std::int64_t most_samples = 1'000;
constexpr std::size_t most_rows_in_file = 20'000;
constexpr std::size_t rows_at_once = 200; // of a file: about a chunk

struct AuditTime {
    Timestamp at;

    static Result<AuditTime> decode(std::string_view text) {
        const auto at = parse_rfc3339(text);
        if (!at) {
            return fail(ErrorCode::invalid_request,
                        "must be an RFC 3339 time such as 2026-11-24T08:30:00Z (send + as %2B)");
        }
        return AuditTime{*at};
    }
    std::string wire() const { return format_rfc3339(at); }
    static json::object schema() { return {{"type", "string"}, {"format", "date-time"}}; }
};

struct AuditLogRequest {
    AuditTime start, end;
    std::optional<std::int32_t> offset;
    std::optional<std::int64_t> number_of_samples;
    std::optional<std::string> sort_order, sort_by;
    std::optional<FilterText> filter_by;
};
BOOST_DESCRIBE_STRUCT(AuditLogRequest, (),
                      (start, end, offset, number_of_samples, sort_order, sort_by, filter_by))

struct AuditLogsResponse {
    using WireNames = SnakeCase;

    std::int64_t total = 0;
    std::optional<std::int64_t> next;
    std::vector<AuditLog> audit_logs;
};
BOOST_DESCRIBE_STRUCT(AuditLogsResponse, (), (total, next, audit_logs))

Result<std::size_t> checked_samples(std::optional<std::int64_t> asked, std::int64_t otherwise) {
    if (asked && (*asked < 0 || *asked > most_samples)) {
        return fail(ErrorCode::invalid_request, "numberOfSamples must be from 0 to 1000");
    }
    return static_cast<std::size_t>(asked.value_or(otherwise));
}

Result<AuditQuery> query_of(const Context& context, AuditTime start, AuditTime end,
                            const std::string& base) {
    if (end.at < start.at) {
        return fail(ErrorCode::invalid_request, "end must not be before start");
    }
    AuditQuery query;
    query.tenant = context.caller.tenant();
    query.start = start.at;
    query.end = end.at;
    query.base_url = base;
    return query;
}

Result<AuditLogsResponse> list_audit_logs(Context& context, const AuditLogRequest& request) {
    const std::string base = base_url(context.services.settings, context.state().tenant);
    AuditQuery query = TRY(query_of(context, request.start, request.end, base));
    query.list.filter_by = request.filter_by;
    query.list.sort_by = request.sort_by;
    query.list.sort_order = request.sort_order;
    if (request.offset.value_or(0) < 0) {
        return fail(ErrorCode::invalid_request, "offset must be 0 or more");
    }
    query.page.offset = static_cast<std::size_t>(request.offset.value_or(0));
    query.page.limit = TRY(checked_samples(request.number_of_samples, usual_samples));
    AuditSearch search =
        TRY(AuditSearch::open(context.services.store, context.services.access_events));
    const AuditPage page = TRY(search.find(query));
    AuditLogsResponse response;
    response.total = static_cast<std::int64_t>(page.total);
    if (query.page.limit > 0) {
        response.next = next_offset(query.page, page.total);
    }
    const auto entries = TRY(search.fetch(query.tenant, page.entries));
    response.audit_logs.reserve(entries.size());
    for (const AuditEntry& entry : entries) {
        response.audit_logs.push_back(view_of(entry, base));
    }
    return response;
}

enum class FileType : std::uint8_t { csv, json };

/// Clients send enumerations in any case.
struct AuditFileType {
    FileType type = FileType::csv;

    static Result<AuditFileType> decode(std::string_view text) {
        if (const std::size_t dot = text.rfind('.'); dot != std::string_view::npos) {
            text.remove_prefix(dot + 1);
        }
        if (ascii_iequal(text, "csv") || ascii_iequal(text, "json")) {
            return AuditFileType{ascii_iequal(text, "csv") ? FileType::csv : FileType::json};
        }
        return fail(ErrorCode::invalid_request, "must be CSV or JSON");
    }
    std::string wire() const { return type == FileType::csv ? "CSV" : "JSON"; }
    static json::object schema() {
        return {{"type", "string"}, {"enum", json::array{"CSV", "JSON"}}, {"default", "CSV"}};
    }
};

/// Its members are named as on the wire, where this operation mixes two styles: the contract says
/// file_type, a known client sends fileType.
struct AuditFileRequest {
    using WireNames = SnakeCase;

    AuditTime start, end;
    std::optional<AuditFileType> file_type, fileType;
    std::optional<std::int64_t> numberOfSamples;
    std::optional<FilterText> filterBy;
};
BOOST_DESCRIBE_STRUCT(AuditFileRequest, (),
                      (start, end, file_type, fileType, numberOfSamples, filterBy))

/// Only the positions of the rows are kept meanwhile: each piece is read when it is sent. What
/// retention has removed by then is left out.
class AuditFile final : public BodyStream {
public:
    AuditFile(const Services& services, TenantId tenant, std::string base, FileType type,
              std::vector<AuditPosition> positions)
        : store_(services.store), access_events_(services.access_events), tenant_(tenant),
          base_(std::move(base)), type_(type), positions_(std::move(positions)) {}

    Result<bool> next(std::string& chunk) override {
        if (!std::exchange(has_begun_, true)) {
            chunk = type_ == FileType::csv ? csv_head() : "[";
            return true;
        }
        if (sent_ == positions_.size()) {
            chunk = type_ == FileType::csv || std::exchange(has_ended_, true) ? "" : "]";
            return !chunk.empty();
        }
        const auto rest = std::span<const AuditPosition>(positions_).subspan(sent_);
        const auto piece = rest.first(std::min(rest.size(), rows_at_once));
        AuditSearch search = TRY(AuditSearch::open(store_, access_events_));
        const auto entries = TRY(search.fetch(tenant_, piece));
        for (const AuditEntry& entry : entries) {
            append(chunk, view_of(entry, base_));
        }
        sent_ += piece.size();
        return true;
    }

private:
    void append(std::string& chunk, const AuditLog& event) {
        if (type_ == FileType::csv) {
            append_csv_line(chunk, event);
            return;
        }
        chunk += std::exchange(has_row_, true) ? ",\n" : "\n";
        JsonWriter writer(chunk);
        encode(writer, event);
    }

    Store& store_;
    AccessEventLog& access_events_;
    TenantId tenant_;
    std::string base_;
    FileType type_;
    std::vector<AuditPosition> positions_;
    std::size_t sent_ = 0;
    bool has_begun_ = false;
    bool has_row_ = false;
    bool has_ended_ = false;
};

Result<Streamed<FileBody>> download_audit_logs(Context& context, const AuditFileRequest& request) {
    std::string base = base_url(context.services.settings, context.state().tenant);
    AuditQuery query = TRY(query_of(context, request.start, request.end, base));
    query.list.filter_by = request.filterBy;
    query.page.limit = TRY(checked_samples(request.numberOfSamples, most_rows_in_file));
    AuditSearch search =
        TRY(AuditSearch::open(context.services.store, context.services.access_events));
    AuditPage page = TRY(search.find(query));
    const FileType type =
        request.file_type.value_or(request.fileType.value_or(AuditFileType{})).type;
    context.headers.emplace_back(
        "Content-Disposition", type == FileType::csv ? R"(attachment; filename="audit-log.csv")"
                                                     : R"(attachment; filename="audit-log.json")");
    std::unique_ptr<BodyStream> file = std::make_unique<AuditFile>(
        context.services, query.tenant, std::move(base), type, std::move(page.entries));
    return {{std::move(file)}};
}

} // namespace

Routes audit_routes() {
    constexpr Access may = Access::permission("events-history", Action::read, EvaluatedAt::tenant);
    constexpr std::string_view tag = "audit";
    return {
        route<list_audit_logs>({.method = HttpMethod::get,
                                .path = "/api/v1/audit/log",
                                .id = "listAuditLogs",
                                .tag = tag,
                                .summary = "List changes and sign-ins of a span of time",
                                .access = may}),
        route<download_audit_logs>({.method = HttpMethod::get,
                                    .path = "/api/v1/audit/log/file",
                                    .id = "downloadAuditLogs",
                                    .tag = tag,
                                    .summary = "Download them, at most 20,000, as CSV or JSON",
                                    .access = may,
                                    .response_type = "application/octet-stream"}),
    };
}

} // namespace claviger
