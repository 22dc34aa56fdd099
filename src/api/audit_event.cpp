// SPDX-License-Identifier: Apache-2.0
#include "api/audit_event.h"

#include <algorithm>

namespace claviger {
namespace {

std::string text_of(const json::object& event, std::string_view name) {
    const json::value* value = event.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(*text);
}

bool is_ipv4(std::string_view text) {
    int parts = 0;
    while (parts < 4) {
        const std::string_view part = text.substr(0, text.find('.'));
        const auto number = parse_integer<std::uint8_t>(part);
        if (!number || (part.size() > 1 && part.front() == '0')) {
            return false;
        }
        ++parts;
        if (part.size() == text.size()) {
            return parts == 4;
        }
        text.remove_prefix(part.size() + 1);
    }
    return false;
}

/// The contract knows no other addresses.
std::string source_ip_of(const json::object& event) {
    std::string text = text_of(event, "source_ip");
    return is_ipv4(text) ? text : std::string();
}

std::string url_of(const json::object& event, std::string_view base_url) {
    const std::string path = text_of(event, "url");
    return path.empty() ? path : std::string(base_url) + path;
}

template <class Words>
std::optional<OneOf<Words>> word_of(const json::object& event, std::string_view name) {
    std::string text = text_of(event, name);
    const bool is_known = std::ranges::find(Words::all, text) != Words::all.end();
    return is_known ? std::optional(OneOf<Words>{std::move(text)}) : std::nullopt;
}

std::optional<std::string> non_empty(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

/// A version 8 UUID (RFC 9562 5.8).
Uuid id_of(const AuditEntry& entry) {
    Uuid id;
    std::ranges::copy_n(entry.hash.begin(), static_cast<std::ptrdiff_t>(id.bytes.size()),
                        id.bytes.begin());
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x80);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    return id;
}

/// What spreadsheets take for the start of a formula.
bool may_be_formula(std::string_view cell) {
    return !cell.empty() && std::string_view("=+-@\t\r").contains(cell.front());
}

void append_cell(std::string& out, std::string_view cell) {
    const bool is_quoted = cell.find_first_of(",\"\r\n") != std::string_view::npos;
    if (is_quoted) {
        out += '"';
    }
    if (may_be_formula(cell)) {
        out += '\'';
    }
    for (const char c : cell) {
        out += c;
        if (c == '"') {
            out += '"';
        }
    }
    if (is_quoted) {
        out += '"';
    }
}

std::string cell_of(const std::string& text) {
    return text;
}
std::string cell_of(const Uuid& id) {
    return id.text();
}
std::string cell_of(Timestamp at) {
    return format_rfc3339(at);
}
std::string cell_of(std::int64_t number) {
    return std::to_string(number);
}
std::string cell_of(const RawJson& json) {
    return json.text;
}
template <class Words>
std::string cell_of(const OneOf<Words>& word) {
    return word.text;
}
template <class T>
std::string cell_of(const std::optional<T>& value) {
    return value ? cell_of(*value) : std::string();
}

} // namespace

const json::object& ParsedEvent::read(std::string_view payload) {
    static const json::object nothing;
    value_.reset();
    memory_.release();
    json::error_code ec;
    value_ = json::parse(payload, ec, &memory_);
    return !ec && value_->is_object() ? value_->as_object() : nothing;
}

const std::vector<ListField<AuditRow>>& audit_fields() {
    static const std::vector<ListField<AuditRow>> fields{
        {.name = "timestamp",
         .kind = FieldKind::time,
         .number = [](const AuditRow& row) { return std::optional(row.at.microseconds); }},
        {.name = "subject",
         .text = [](const AuditRow& row) { return text_of(*row.event, "subject"); }},
        {.name = "subject_type",
         .text = [](const AuditRow& row) { return text_of(*row.event, "subject_type"); }},
        {.name = "source_ip", .text = [](const AuditRow& row) { return source_ip_of(*row.event); }},
        {.name = "action",
         .text = [](const AuditRow& row) { return text_of(*row.event, "action"); }},
        {.name = "http_method",
         .text = [](const AuditRow& row) { return text_of(*row.event, "http_method"); }},
        {.name = "result",
         .text = [](const AuditRow& row) { return text_of(*row.event, "result"); }},
        {.name = "url",
         .text = [](const AuditRow& row) { return url_of(*row.event, row.base_url); }},
        {.name = "entity_type",
         .text = [](const AuditRow& row) { return text_of(*row.event, "entity_type"); }},
        {.name = "entity_name",
         .text = [](const AuditRow& row) { return text_of(*row.event, "entity_name"); }},
        {.name = "entity_id",
         .text = [](const AuditRow& row) { return text_of(*row.event, "entity_id"); }},
        {.name = "cluster_name",
         .text = [](const AuditRow& row) { return text_of(*row.event, "cluster_name"); }},
    };
    return fields;
}

AuditLog view_of(const AuditEntry& entry, std::string_view base_url) {
    ParsedEvent parsed;
    const json::object& event = parsed.read(entry.payload);
    AuditLog log;
    log.id = id_of(entry);
    log.timestamp = entry.at;
    log.tenant_id = std::to_string(number_of(entry.tenant));
    log.subject = text_of(event, "subject");
    log.subject_type.text = text_of(event, "subject_type");
    log.source_ip = non_empty(source_ip_of(event));
    log.action.text = text_of(event, "action");
    log.http_method = word_of<AuditMethods>(event, "http_method");
    log.url = non_empty(url_of(event, base_url));
    log.entity_type = non_empty(text_of(event, "entity_type"));
    log.entity_name = non_empty(text_of(event, "entity_name"));
    log.entity_id = non_empty(text_of(event, "entity_id"));
    log.result.text = text_of(event, "result");
    if (const json::value* status = event.if_contains("http_status_code")) {
        log.http_status_code =
            status->is_int64() ? std::optional(status->get_int64()) : std::nullopt;
    }
    log.cluster_name = non_empty(text_of(event, "cluster_name"));
    log.cluster_id = Uuid::parse(text_of(event, "cluster_id"));
    log.request_id = Uuid::parse(text_of(event, "request_id"));
    if (const json::value* metadata = event.if_contains("metadata")) {
        log.metadata = RawJson{json::serialize(*metadata)};
    }
    return log;
}

std::string csv_head() {
    std::string line;
    for_each_member<AuditLog>([&](auto member) {
        line += line.empty() ? "" : ",";
        line += wire_name<AuditLog>(member);
    });
    return line + "\r\n";
}

void append_csv_line(std::string& out, const AuditLog& event) {
    bool is_first = true;
    for_each_member<AuditLog>([&](auto member) {
        out += is_first ? "" : ",";
        is_first = false;
        append_cell(out, cell_of(event.*member.pointer));
    });
    out += "\r\n";
}

} // namespace claviger
