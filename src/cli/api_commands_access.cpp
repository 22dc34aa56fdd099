// SPDX-License-Identifier: Apache-2.0
// Commands about keys and about what the caller may do.
#include <array>
#include <ostream>

#include "cli/api_command.h"
#include "cli/api_output.h"

namespace claviger {
namespace {

namespace json = boost::json;

void print_rules(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 5> columns{{{"id", "RULE"},
                                                    {"roleName", "ROLE"},
                                                    {"scopeType", "SCOPE"},
                                                    {"scopeId", "ID"},
                                                    {"scopeName", "NAME"}}};
    const json::value* rules = member(answer, "accessRules");
    print_table(out, rules == nullptr ? nullptr : member(*rules, "accessRules"), columns,
                "No access rule reaches you.");
}

/// One line for each action and kind of scope: "read  projects  12, 15".
void print_scopes(std::ostream& out, const json::value& answer) {
    static constexpr std::array<std::string_view, 4> kinds{"tenants", "clusters", "departments",
                                                           "projects"};
    json::array lines;
    for (const auto& [action, scopes] : answer.as_object()) {
        for (const std::string_view kind : kinds) {
            const json::value* ids = member(scopes, kind);
            if (ids == nullptr || !ids->is_array() || ids->get_array().empty()) {
                continue;
            }
            std::string joined;
            for (const json::value& id : ids->get_array()) {
                joined += (joined.empty() ? "" : ", ") + shown(&id);
            }
            lines.push_back(
                {{"action", std::string_view(action)}, {"kind", kind}, {"ids", joined}});
        }
    }
    static constexpr std::array<Column, 3> columns{
        {{"action", "ACTION"}, {"kind", "AT"}, {"ids", "IDS"}}};
    const json::value table(std::move(lines));
    print_table(out, &table, columns, "You may do nothing with it.");
}

void print_deleted(std::ostream& out, const json::value&) {
    out << "The key is deleted; its tokens have ended.\n";
}

} // namespace

std::vector<ApiCommand> access_commands() {
    return {
        {.words = "access rules",
         .help = "List the access rules that reach you",
         .path = "/api/v1/authorization/me/access-rules",
         .arguments = {{.spelling = "--search",
                        .field = "search",
                        .help = "Only those in whose names the text occurs",
                        .metavar = "TEXT"},
                       {.spelling = "--limit",
                        .field = "limit",
                        .help = "At most so many [50]",
                        .kind = ArgumentKind::number,
                        .metavar = "N"},
                       {.spelling = "--offset",
                        .field = "offset",
                        .help = "Without the first so many",
                        .kind = ArgumentKind::number,
                        .metavar = "N"}},
         .print = print_rules},
        {.words = "access scopes",
         .help = "Print where you may act upon a resource type",
         .method = HttpMethod::post,
         .path = "/api/v1/authorization/permitted-scopes",
         .arguments = {{.spelling = "TYPE",
                        .field = "resourceType",
                        .help = "A resource type, like project or service-account",
                        .sent_in = SentIn::body,
                        .is_required = true},
                       {.spelling = "--action",
                        .field = "action",
                        .help = "Only this one: create, read, update or delete",
                        .sent_in = SentIn::body,
                        .metavar = "ACTION"}},
         .print = print_scopes},
        {.words = "key delete",
         .help = "Delete a service account or an access key; its tokens end at once",
         .method = HttpMethod::remove,
         .path = "/api/v1/{key}",
         .arguments = {{.spelling = "KEY",
                        .field = "key",
                        .help = "Its client id, name or id",
                        .kind = ArgumentKind::key,
                        .sent_in = SentIn::path,
                        .is_required = true}},
         .print = print_deleted},
    };
}

} // namespace claviger
