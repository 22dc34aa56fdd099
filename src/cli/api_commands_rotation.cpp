// SPDX-License-Identifier: Apache-2.0
// Commands that change the secret of a key while it is in use. Without a KEY, the one that the
// command itself signs in with.
#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>

#include "cli/api_command.h"
#include "cli/api_output.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr ApiArgument key{.spelling = "KEY",
                          .field = "key",
                          .help = "Its client id, name or id [the one that is signed in with]",
                          .kind = ArgumentKind::key,
                          .sent_in = SentIn::path};
constexpr ApiArgument required_key{.spelling = "KEY",
                                   .field = "key",
                                   .help = "Its client id, name or id",
                                   .kind = ArgumentKind::key,
                                   .sent_in = SentIn::path,
                                   .is_required = true};
constexpr std::string_view secrets_path = "/api/v1/{key}/secrets";

void print_new_secret(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 4> columns{{{"clientId", "client id"},
                                                    {"clientSecret", "client secret"},
                                                    {"id", "secret id"},
                                                    {"expiresAt", "expires at"}}};
    print_members(out, answer, columns);
    out << "The secret is shown only now. The older ones stay good until they are retired.\n";
}

void print_retired(std::ostream& out, const json::value& answer) {
    const json::value* retired = member(answer, "retired");
    const json::array none;
    const json::array& ids =
        retired != nullptr && retired->is_array() ? retired->get_array() : none;
    if (ids.empty()) {
        out << "There was nothing to retire.\n";
    }
    for (const json::value& id : ids) {
        out << "Retired " << shown(&id) << ". Tokens that were got with it stay good.\n";
    }
}

void print_restored(std::ostream& out, const json::value&) {
    out << "It is good now. Tokens that were got with it before it was frozen have ended.\n";
}

/// One line a secret, with what is known of its last use.
void print_secrets(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 8> columns{{{"id", "SECRET"},
                                                    {"state", "STATE"},
                                                    {"createdAt", "CREATED"},
                                                    {"ends", "ENDS"},
                                                    {"usedAt", "LAST USED"},
                                                    {"sourceIp", "FROM"},
                                                    {"userAgent", "BY"},
                                                    {"countToday", "TODAY"}}};
    json::array lines;
    const json::value* secrets = member(answer, "secrets");
    const json::array none;
    for (const json::value& secret :
         secrets != nullptr && secrets->is_array() ? secrets->get_array() : none) {
        json::object line;
        for (const char* name : {"id", "state", "createdAt"}) {
            line[name] = shown(member(secret, name));
        }
        const json::value* drain = member(secret, "drainSeconds");
        const json::value* retired = member(secret, "retiredAt");
        line["ends"] = retired != nullptr && retired->is_string() ? shown(retired)
                       : drain != nullptr ? "unused for " + shown(drain) + " s"
                                          : shown(member(secret, "expiresAt"));
        if (const json::value* used = member(secret, "lastUsed"); used != nullptr) {
            line["usedAt"] = shown(member(*used, "at"));
            for (const char* name : {"sourceIp", "userAgent", "countToday"}) {
                line[name] = shown(member(*used, name));
            }
        }
        lines.emplace_back(std::move(line));
    }
    const json::value table(std::move(lines));
    print_table(out, &table, columns,
                "There is no secret to show: name a KEY, or sign in with a key.");
}

std::vector<ApiCommand> beginning_commands() {
    return {
        {.words = "rotate status",
         .help = "List the secrets of a key, and how each was used last",
         .path = secrets_path,
         .arguments = {key},
         .print = print_secrets},
        {.words = "rotate start",
         .help = "Add a secret beside those that are good, and print it",
         .method = HttpMethod::post,
         .path = secrets_path,
         .arguments = {key,
                       {.spelling = "--expires-at",
                        .field = "expiresAt",
                        .help = "When the new secret ends, like 2027-01-31T00:00:00Z [never]",
                        .sent_in = SentIn::body,
                        .metavar = "TIME"}},
         .print = print_new_secret},
        {.words = "rotate auto",
         .help = "Add a secret, and retire the older ones once they are unused for long enough",
         .method = HttpMethod::post,
         .path = secrets_path,
         .arguments = {key,
                       {.spelling = "--drain",
                        .field = "drainSeconds",
                        .help = "How long unused, like 24h",
                        .kind = ArgumentKind::time_span,
                        .sent_in = SentIn::body,
                        .metavar = "TIME",
                        .is_required = true}},
         .print = print_new_secret},
    };
}

std::vector<ApiCommand> ending_commands() {
    return {
        {.words = "rotate finish",
         .help = "Retire the older secrets, unless one of them was used lately",
         .method = HttpMethod::post,
         .path = "/api/v1/{key}/secrets/retire",
         .arguments = {key,
                       {.spelling = "--secret",
                        .field = "secretId",
                        .help = "The only one to retire",
                        .sent_in = SentIn::body,
                        .metavar = "ID"},
                       {.spelling = "--unused-for",
                        .field = "unusedForSeconds",
                        .help = "How long it must not have been used [24h]",
                        .kind = ArgumentKind::time_span,
                        .sent_in = SentIn::body,
                        .metavar = "TIME"},
                       {.spelling = "--force",
                        .field = "force",
                        .help = "Whenever it was used",
                        .kind = ArgumentKind::flag,
                        .sent_in = SentIn::body}},
         .print = print_retired},
        {.words = "rotate restore",
         .help = "Make a secret good again that was frozen after a report",
         .method = HttpMethod::post,
         .path = "/api/v1/{key}/secrets/restore",
         .arguments = {required_key,
                       {.spelling = "--secret",
                        .field = "secretId",
                        .help = "Which one, as rotate status lists it",
                        .sent_in = SentIn::body,
                        .metavar = "ID",
                        .is_required = true}},
         .print = print_restored},
    };
}

} // namespace

std::vector<ApiCommand> rotation_commands() {
    std::vector<ApiCommand> commands = beginning_commands();
    std::ranges::move(ending_commands(), std::back_inserter(commands));
    return commands;
}

} // namespace claviger
