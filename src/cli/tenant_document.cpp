// SPDX-License-Identifier: Apache-2.0
#include "cli/tenant_document.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "base/strict_json.h"
#include "cli/tenant_records.h"

namespace claviger {
namespace {

constexpr std::array sections{tenant_section::roles,
                              tenant_section::users,
                              tenant_section::service_accounts,
                              tenant_section::access_keys,
                              tenant_section::clusters,
                              tenant_section::departments,
                              tenant_section::projects,
                              tenant_section::identity_providers,
                              tenant_section::access_rules};

/// Takes the records out of a document: the objects in its arrays. What is left, the frame, has a
/// null for each.
class RecordScanner {
public:
    explicit RecordScanner(std::string_view text) : text_(text) {
        for (std::size_t at = 0; at < text_.size(); ++at) {
            step(at);
        }
    }

    const std::string& frame() const { return frame_; }
    const std::vector<TenantRecord>& records() const { return records_; }
    /// Where what was never closed begins; the first line when all is closed.
    std::size_t unclosed_line() const { return open_.empty() ? 1 : open_.back().line; }

private:
    struct Open {
        char bracket = '{';
        std::size_t line = 0;
    };

    void step(std::size_t at) {
        const char c = text_[at];
        const bool was_in_record = in_record_;
        if (in_string_) {
            in_string_ = is_escaped_ || c != '"';
            is_escaped_ = !is_escaped_ && c == '\\';
        } else if (c == '"') {
            in_string_ = true;
        } else if (c == '{' || c == '[') {
            begin(c, at);
        } else if ((c == '}' || c == ']') && !open_.empty()) {
            end(at);
        }
        if (!was_in_record && !in_record_) {
            frame_ += c;
        }
        line_ += c == '\n' ? 1 : 0;
    }

    void begin(char bracket, std::size_t at) {
        if (bracket == '{' && open_.size() == 2 && open_.back().bracket == '[') {
            in_record_ = true;
            begin_ = at;
            frame_ += "null";
        }
        open_.push_back({bracket, line_});
    }

    void end(std::size_t at) {
        const std::size_t line = open_.back().line;
        open_.pop_back();
        if (in_record_ && open_.size() == 2) {
            in_record_ = false;
            records_.push_back({line, text_.substr(begin_, at + 1 - begin_)});
        }
    }

    std::string_view text_;
    std::string frame_;
    std::vector<TenantRecord> records_;
    std::vector<Open> open_;
    std::size_t begin_ = 0; // of the record
    std::size_t line_ = 1;
    bool in_record_ = false;
    bool in_string_ = false;
    bool is_escaped_ = false;
};

using Problem = std::unexpected<DocumentProblem>;

Problem problem(std::size_t line, std::string text) {
    return Problem(DocumentProblem{line, std::move(text)});
}

/// Hands the records out to the arrays of the frame, which stand in the same order.
class Distribution {
public:
    explicit Distribution(const std::vector<TenantRecord>& records) : records_(records) {}

    std::expected<void, DocumentProblem> take(TenantDocument& document, std::string_view name,
                                              const boost::json::value& value) {
        const std::size_t line = next_ < records_.size() ? records_[next_].line : 1;
        if (name == "settings") {
            document.settings = boost::json::serialize(value);
            document.settings_line = line;
            return value.is_object() ? std::expected<void, DocumentProblem>()
                                     : problem(line, "settings must be an object");
        }
        if (std::ranges::find(sections, name) == sections.end()) {
            return problem(line, "there is no section of the name " + std::string(name));
        }
        const auto* array = value.if_array();
        if (array == nullptr) {
            return problem(line, std::string(name) + " must be an array of objects");
        }
        auto& records = document.sections[std::string(name)];
        for (const boost::json::value& element : *array) {
            if (!element.is_null() || next_ >= records_.size()) {
                return problem(line, std::string(name) + " must hold objects only");
            }
            records.push_back(records_[next_++]);
        }
        return {};
    }

private:
    const std::vector<TenantRecord>& records_;
    std::size_t next_ = 0;
};

bool is_right_version(const boost::json::object& frame) {
    const auto* version = frame.if_contains("claviger");
    return version != nullptr && version->is_int64() &&
           version->get_int64() == tenant_document_version;
}

} // namespace

std::expected<TenantDocument, DocumentProblem> read_tenant_document(std::string_view text) {
    const RecordScanner scanner(text);
    const StrictJsonLimits limits{.max_depth = 16, .max_members = 256};
    const auto frame = parse_strict_json(scanner.frame(), limits);
    if (!frame || !frame->is_object()) {
        return problem(scanner.unclosed_line(),
                       "the document is no JSON object: " +
                           (frame ? "it is something else" : frame.error().detail()));
    }
    const boost::json::object& members = frame->get_object();
    if (!is_right_version(members)) {
        return problem(1, "this is no tenant document of version " +
                              std::to_string(tenant_document_version) +
                              ": the member \"claviger\" says the version");
    }
    TenantDocument document;
    Distribution distribution(scanner.records());
    for (const auto& [name, value] : members) {
        if (name != "claviger" && name != "tenant") {
            if (auto taken = distribution.take(document, name, value); !taken) {
                return std::unexpected(std::move(taken).error());
            }
        }
    }
    return document;
}

} // namespace claviger
