// SPDX-License-Identifier: Apache-2.0
// Why a request was refused.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cli/api_command.h"
#include "cli/api_output.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::size_t most_names = 8; // of permissions, in one line

std::string scope_text(const json::value& scope) {
    const json::value* path = member(scope, "path");
    return shown(member(scope, "scopeType")) + " " + shown(member(scope, "scopeId")) +
           (path == nullptr || path->is_null() ? "" : " (" + shown(path) + ")");
}

std::string subject_text(const json::value& subject) {
    const json::value* type = member(subject, "type");
    const std::string name = shown(member(subject, "name"));
    if (type == nullptr || type->is_null()) {
        return name + ", which nobody is";
    }
    const json::value* client = member(subject, "clientId");
    return shown(type) + " " + name +
           (client == nullptr || client->is_null() ? "" : ", with the key " + shown(client));
}

/// "Viewer (7) at project 12; it also allows 3: a, b, c".
std::string grant_text(const json::value& grant) {
    const json::value* scope = member(grant, "scopeType");
    std::string text = shown(member(grant, "roleName")) + " (" + shown(member(grant, "roleId")) +
                       ") at " +
                       (scope == nullptr || scope->is_null() ? "any scope" : scope_text(grant));
    const json::value* also = member(grant, "alsoAllows");
    if (also == nullptr || !also->is_array() || also->get_array().empty()) {
        return text + "; it allows nothing else";
    }
    text += "; it also allows " + shown(member(grant, "alsoAllowsCount")) + ": ";
    const json::array& names = also->get_array();
    for (std::size_t i = 0; i < names.size() && i < most_names; ++i) {
        text += (i == 0 ? "" : ", ") + shown(&names[i]);
    }
    return names.size() > most_names ? text + ", ..." : text;
}

/// Lines in their order, each a title and a text.
class Lines {
public:
    void add(std::string_view title, std::string_view text) {
        if (!text.empty()) {
            columns_.push_back({title, title});
            texts_[title] = text;
        }
    }
    void print(std::ostream& out) && {
        print_members(out, json::value(std::move(texts_)), columns_);
    }

private:
    std::vector<Column> columns_;
    json::object texts_;
};

std::string joined(const json::value* items, std::string (*text_of_item)(const json::value&),
                   std::string_view between) {
    std::string text;
    if (items != nullptr && items->is_array()) {
        for (const json::value& item : items->get_array()) {
            text += (text.empty() ? "" : std::string(between)) + text_of_item(item);
        }
    }
    return text;
}

std::string plain(const json::value& item) {
    return shown(&item);
}

void print_diagnosis(std::ostream& out, const json::value& answer) {
    Lines lines;
    lines.add("request", shown(member(answer, "operation")) + ", answered with " +
                             shown(member(answer, "status")));
    lines.add("at", shown(member(answer, "at")));
    lines.add("from", shown(member(answer, "sourceIp")));
    if (const json::value* subject = member(answer, "subject")) {
        lines.add("by", subject_text(*subject));
    }
    lines.add("reason", shown(member(answer, "reason")));
    lines.add("why", shown(member(answer, "message")));
    lines.add("what helps", shown(member(answer, "hint")));
    lines.add("held there", joined(member(answer, "heldThere"), plain, ", "));
    lines.add("held at", joined(member(answer, "heldAt"), scope_text, ", "));
    if (const json::value* now = member(answer, "isPermittedNow");
        now != nullptr && *now == json::value(true)) {
        lines.add("by now", "access rules permit it");
    }
    std::move(lines).print(out);
    if (const json::value* grants = member(answer, "smallestGrants");
        grants != nullptr && grants->is_array() && !grants->get_array().empty()) {
        out << "The smallest access rules that would do, any one of them:\n";
        for (const json::value& grant : grants->get_array()) {
            out << "  " << grant_text(grant) << '\n';
        }
    }
}

} // namespace

std::vector<ApiCommand> diagnosis_commands() {
    return {
        {.words = "why",
         .help = "Say why a request was refused, and what would help",
         .path = "/api/v1/diagnoses/{requestId}",
         .arguments = {{.spelling = "REQUEST-ID",
                        .field = "requestId",
                        .help = "The id that the refusal carries, in X-Request-Id as well",
                        .sent_in = SentIn::path,
                        .is_required = true}},
         .print = print_diagnosis},
    };
}

} // namespace claviger
