// SPDX-License-Identifier: Apache-2.0
// Commands about what keys and rules were used for.
#include <array>
#include <ostream>

#include "cli/api_command.h"
#include "cli/api_output.h"

namespace claviger {
namespace {

namespace json = boost::json;

/// The elements of a list of texts, with spaces between.
std::string joined(const json::value* texts) {
    std::string line;
    const json::array* array = texts == nullptr ? nullptr : texts->if_array();
    for (const json::value& text : array == nullptr ? json::array() : *array) {
        line += (line.empty() ? "" : " ") + shown(&text);
    }
    return line;
}

void print_usage(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 7> columns{{{"scopeType", "SCOPE"},
                                                    {"scopeId", "ID"},
                                                    {"scopeName", "NAME"},
                                                    {"firstUsed", "FIRST USED"},
                                                    {"lastUsed", "LAST USED"},
                                                    {"days", "DAYS"},
                                                    {"permissions", "PERMISSIONS"}}};
    json::value scopes;
    if (const json::value* found = member(answer, "scopes"); found != nullptr) {
        scopes = *found;
    }
    if (json::array* lines = scopes.if_array()) {
        for (json::value& line : *lines) {
            if (json::object* object = line.if_object()) {
                (*object)["permissions"] = joined(object->if_contains("permissions"));
            }
        }
    }
    print_table(out, &scopes, columns,
                "No use from " + shown(member(answer, "from")) + " to " +
                    shown(member(answer, "to")) + ". Uses are recorded since " +
                    shown(member(answer, "recordedSince")) + ".");
}

/// Says so when the list is longer than what is shown of it.
void print_rest(std::ostream& out, const json::value& answer) {
    const std::string shown_here = shown(member(answer, "displayRecords"));
    const std::string all = shown(member(answer, "totalRecords"));
    if (shown_here != all) {
        out << shown_here << " of " << all << "; --offset and --limit show others.\n";
    }
}

void print_unused_keys(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 7> columns{{{"type", "KIND"},
                                                    {"name", "NAME"},
                                                    {"clientId", "CLIENT ID"},
                                                    {"createdBy", "OF"},
                                                    {"createdAt", "CREATED"},
                                                    {"lastLogin", "LAST TOKEN"},
                                                    {"lastUsed", "LAST USED"}}};
    print_table(out, member(answer, "keys"), columns,
                "Every key that you may list and that is as old was used within " +
                    shown(member(answer, "days")) + " days.");
    print_rest(out, answer);
}

void print_unused_rules(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 8> columns{{{"id", "RULE"},
                                                    {"subjectType", "SUBJECT"},
                                                    {"subjectId", "SUBJECT ID"},
                                                    {"roleName", "ROLE"},
                                                    {"scopeType", "SCOPE"},
                                                    {"scopeId", "SCOPE ID"},
                                                    {"scopeName", "NAME"},
                                                    {"createdAt", "CREATED"}}};
    const std::string days = shown(member(answer, "days"));
    if (const json::value* is_complete = member(answer, "isComplete");
        is_complete != nullptr && *is_complete == json::value(false)) {
        out << "Uses are recorded since " << shown(member(answer, "recordedSince"))
            << ": nothing can be said of " << days << " days yet; --days asks about fewer.\n";
        return;
    }
    print_table(out, member(answer, "accessRules"), columns,
                "Every rule within your reach that is as old was used within " + days + " days.");
    print_rest(out, answer);
}

constexpr ApiArgument days{.spelling = "--days",
                           .field = "days",
                           .help = "For how long [90, or as long as uses are kept]",
                           .kind = ArgumentKind::number,
                           .metavar = "N"};
constexpr ApiArgument limit{.spelling = "--limit",
                            .field = "limit",
                            .help = "How many to list at most",
                            .kind = ArgumentKind::number,
                            .metavar = "N"};
constexpr ApiArgument offset{.spelling = "--offset",
                             .field = "offset",
                             .help = "How many to leave out before",
                             .kind = ArgumentKind::number,
                             .metavar = "N"};

} // namespace

std::vector<ApiCommand> usage_commands() {
    return {
        {.words = "usage",
         .help = "Tell which permissions a service account or access key used, and where",
         .path = "/api/v1/{key}/usage",
         .arguments = {{.spelling = "KEY",
                        .field = "key",
                        .help = "Its client id, name or id",
                        .kind = ArgumentKind::key,
                        .sent_in = SentIn::path,
                        .is_required = true},
                       {.spelling = "--from",
                        .field = "from",
                        .help = "The first day, like 2026-11-24 [90 days ago]",
                        .metavar = "DAY"},
                       {.spelling = "--to",
                        .field = "to",
                        .help = "The last day [today]",
                        .metavar = "DAY"}},
         .print = print_usage},
        {.words = "unused keys",
         .help = "List the keys that were not used for so many days, of those that you may list",
         .path = "/api/v1/usage/unused-keys",
         .arguments = {days, limit, offset},
         .print = print_unused_keys},
        {.words = "unused rules",
         .help = "List the access rules that gave nothing that was used for so many days",
         .path = "/api/v1/usage/unused-rules",
         .arguments = {days, limit, offset},
         .print = print_unused_rules},
    };
}

} // namespace claviger
