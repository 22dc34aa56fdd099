// SPDX-License-Identifier: Apache-2.0
// An audit event as the API shows it (contract Appendix A, AuditLog), as a row of a list and as a
// line of a file.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/codec.h"
#include "api/filter.h"
#include "model/model.h"

namespace claviger {

/// A stored payload, read. Reading the next one ends the life of the one before.
class ParsedEvent {
public:
    /// An empty object when the payload is none.
    const json::object& read(std::string_view payload);

private:
    std::array<std::uint8_t, 4096> bytes_;
    json::monotonic_resource memory_{bytes_.data(), bytes_.size()};
    std::optional<json::value> value_; // dies before what it lies in
};

/// What a list is filtered and sorted by.
struct AuditRow {
    const json::object* event = nullptr;
    Timestamp at;
    std::string_view base_url;
};
const std::vector<ListField<AuditRow>>& audit_fields();

/// A member of an event that is one of a few words.
template <class Words>
struct OneOf {
    std::string text;

    static Result<OneOf> decode(std::string_view) {
        return fail(ErrorCode::internal, "audit events are not read from requests");
    }
    std::string wire() const { return text; }
    static json::object schema() {
        json::array words;
        for (const std::string_view word : Words::all) {
            words.emplace_back(word);
        }
        return {{"type", "string"}, {"enum", std::move(words)}};
    }
};
struct AuditSubjectTypes {
    static constexpr std::array<std::string_view, 2> all{"User", "App"};
};
struct AuditActions {
    static constexpr std::array<std::string_view, 6> all{"create",  "update",   "delete",
                                                         "sign-in", "sign-out", "reset-password"};
};
struct AuditMethods {
    static constexpr std::array<std::string_view, 5> all{"GET", "POST", "PUT", "PATCH", "DELETE"};
};
struct AuditResults {
    static constexpr std::array<std::string_view, 2> all{"Succeeded", "Failed"};
};

struct AuditLog {
    using WireNames = SnakeCase;

    Uuid id;
    Timestamp timestamp;
    std::string tenant_id, subject;
    OneOf<AuditSubjectTypes> subject_type;
    std::optional<std::string> source_ip;
    OneOf<AuditActions> action;
    std::optional<OneOf<AuditMethods>> http_method;
    std::optional<std::string> url, entity_type, entity_name, entity_id;
    OneOf<AuditResults> result;
    std::optional<std::int64_t> http_status_code;
    std::optional<std::string> cluster_name;
    std::optional<Uuid> cluster_id, request_id;
    std::optional<RawJson> metadata;
};
BOOST_DESCRIBE_STRUCT(AuditLog, (),
                      (id, timestamp, tenant_id, subject, subject_type, source_ip, action,
                       http_method, url, entity_type, entity_name, entity_id, result,
                       http_status_code, cluster_name, cluster_id, request_id, metadata))

/// The id is made of the entry's hash: it is the same at every reading, and no two are equal.
AuditLog view_of(const AuditEntry& entry, std::string_view base_url);

/// The names of the columns.
std::string csv_head();
/// A line as RFC 4180 has it. A cell that a spreadsheet would take for a formula starts with an
/// apostrophe.
void append_csv_line(std::string& out, const AuditLog& event);

} // namespace claviger
