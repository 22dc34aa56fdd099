// SPDX-License-Identifier: Apache-2.0
// The command that tells what a change would do.
#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>
#include <ranges>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/api_command.h"
#include "cli/grounds_text.h"
#include "cli/named_subject.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::size_t most_in_file = 1 << 20; // bytes, as the server takes
constexpr std::array<std::string_view, 3> change_lists{"addRules", "removeRules", "changeRoles"};

std::unexpected<ApiFailure> not_accepted(std::string_view text, std::string_view why) {
    return std::unexpected(
        ApiFailure{ExitCode::usage, std::string(text) + ": command line; " + std::string(why)});
}

// --- what is sent -------------------------------------------------------------------------------

ApiResult<json::object> read_change(const std::string& name) {
    std::string text;
    if (name == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream file(name, std::ios::binary);
        if (!file) {
            return std::unexpected(ApiFailure{ExitCode::usage, name + " cannot be read: --file; "
                                                                      "check the path"});
        }
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    boost::system::error_code error;
    json::value change = json::parse(text, error);
    if (error || !change.is_object() || text.size() > most_in_file) {
        return std::unexpected(ApiFailure{
            ExitCode::usage, name + " is no change: --file; give a JSON object of at most 1 MiB "
                                    "with addRules, removeRules, changeRoles"});
    }
    return std::move(change.get_object());
}

/// "SUBJECT ROLE-ID SCOPE"; a subject may have blanks in its name.
ApiResult<json::object> rule_named(std::string_view text) {
    constexpr std::string_view how =
        "a rule is 'SUBJECT ROLE-ID SCOPE', like 'group:staff 7 project/12'";
    const std::size_t before_scope = text.rfind(' ');
    const std::size_t before_role = before_scope == 0 || before_scope == std::string_view::npos
                                        ? std::string_view::npos
                                        : text.rfind(' ', before_scope - 1);
    if (before_role == std::string_view::npos || before_role == 0) {
        return not_accepted(text, how);
    }
    const auto role =
        parse_integer<std::int32_t>(text.substr(before_role + 1, before_scope - before_role - 1));
    const std::string_view scope = text.substr(before_scope + 1);
    const std::size_t slash = scope.find('/');
    if (!role || slash == std::string_view::npos) {
        return not_accepted(text, how);
    }
    const NamedSubject subject = subject_named(text.substr(0, before_role));
    return json::object{{"subjectType", subject.type},
                        {"subjectId", subject.id},
                        {"roleId", *role},
                        {"scopeType", scope.substr(0, slash)},
                        {"scopeId", scope.substr(slash + 1)}};
}

/// The array in the body, made when it is missing.
json::array* list_in(json::object& body, std::string_view name) {
    json::value& list = body[name];
    if (list.is_null()) {
        list.emplace_array();
    }
    return list.if_array();
}

template <class Add>
ApiResult<void> add_listed(json::object& body, std::string_view list, const ArgumentValues& values,
                           std::string_view argument, Add add) {
    const auto given = values.find(argument);
    if (given == values.end()) {
        return {};
    }
    json::array* entries = list_in(body, list);
    if (entries == nullptr) {
        return not_accepted("--file", std::string(list) + " must be an array");
    }
    for (const auto part : std::views::split(given->second, ',')) {
        TRY(add(*entries, std::string_view(part)));
    }
    return {};
}

/// A misspelled member would read as a change that does no harm.
ApiResult<void> check_change(const json::object& body) {
    bool is_a_change = false;
    for (const auto& [name, list] : body) {
        if (std::ranges::find(change_lists, std::string_view(name)) == change_lists.end()) {
            return not_accepted("--file",
                                "unknown member " + std::string(name) +
                                    "; a change has addRules, removeRules and changeRoles");
        }
        is_a_change = is_a_change || (list.is_array() && !list.get_array().empty());
    }
    return is_a_change ? ApiResult<void>()
                       : not_accepted("no change is named",
                                      "give --add, --remove, --disable-role or --file");
}

ApiResult<std::string> what_if_body(const ArgumentValues& values) {
    json::object body;
    if (const auto file = values.find("file"); file != values.end()) {
        body = TRY(read_change(file->second));
    }
    TRY(add_listed(body, "addRules", values, "add",
                   [](json::array& rules, std::string_view text) -> ApiResult<void> {
                       rules.push_back(TRY(rule_named(text)));
                       return {};
                   }));
    TRY(add_listed(body, "removeRules", values, "remove",
                   [](json::array& rules, std::string_view text) -> ApiResult<void> {
                       const auto number = parse_integer<std::int32_t>(text);
                       if (!number) {
                           return not_accepted(text, "--remove takes numbers of access rules");
                       }
                       rules.push_back(*number);
                       return {};
                   }));
    TRY(add_listed(body, "changeRoles", values, "disable-role",
                   [](json::array& roles, std::string_view text) -> ApiResult<void> {
                       const auto number = parse_integer<std::int32_t>(text);
                       if (!number) {
                           return not_accepted(text, "--disable-role takes numbers of roles");
                       }
                       roles.push_back({{"roleId", *number}, {"enabled", false}});
                       return {};
                   }));
    TRY(check_change(body));
    for (const char* name : {"days", "limit", "offset"}) {
        TRY(put_number(body, values, name));
    }
    return json::serialize(body);
}

// --- what comes back ----------------------------------------------------------------------------

std::size_t size_of(const json::value& answer, std::string_view list) {
    const json::value* items = member(answer, list);
    return items != nullptr && items->is_array() ? items->get_array().size() : 0;
}

std::string place(const json::value& of) {
    const json::value* scope = member(of, "scope");
    return scope == nullptr ? "-" : scope_text(*scope);
}

/// A line for each part of the tree; the name stands in the first.
void print_list(std::ostream& out, const json::value& answer, std::string_view list,
                std::string_view parts, std::span<const Column> columns,
                json::object (*line_of)(const json::value& entry, const json::value& part)) {
    json::array lines;
    const json::value* entries = member(answer, list);
    for (const json::value& entry :
         entries != nullptr && entries->is_array() ? entries->get_array() : json::array()) {
        const json::value* places = member(entry, parts);
        for (const json::value& part :
             places != nullptr && places->is_array() ? places->get_array() : json::array()) {
            lines.push_back(line_of(entry, part));
        }
    }
    const json::value table(std::move(lines));
    print_table(out, &table, columns, "");
}

/// A column of whole roles could not be read; `--json` has all of it.
std::string first_few(const json::value* texts) {
    constexpr std::size_t most = 4;
    if (texts == nullptr || !texts->is_array()) {
        return {};
    }
    const json::array& all = texts->get_array();
    json::array few(all.begin(),
                    all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size())));
    const json::value shown_ones(std::move(few));
    const std::string text = joined(&shown_ones, plain, ", ");
    return all.size() <= most ? text : text + " and " + std::to_string(all.size() - most) + " more";
}

json::object subject_line(const json::value& subject, const json::value& at) {
    const auto listed = [&](std::string_view name) {
        const std::string text = first_few(member(at, name));
        return text.empty() ? std::string("-") : text;
    };
    return {{"subject", shown(member(subject, "type")) + ":" + shown(member(subject, "id"))},
            {"scope", place(at)},
            {"gained", listed("gained")},
            {"lost", listed("lost")},
            {"unchanged", listed("unchanged")}};
}

json::object key_line(const json::value& key, const json::value& use) {
    return {{"key", shown(member(key, "type")) + ":" + shown(member(key, "name"))},
            {"scope", place(use)},
            {"permissions", first_few(member(use, "permissions"))},
            {"lastUsed", shown(member(use, "lastUsed"))}};
}

void print_rest(std::ostream& out, const json::value& answer, std::string_view list,
                std::string_view total) {
    const std::string count = std::to_string(size_of(answer, list));
    if (const std::string all = shown(member(answer, total)); all != count) {
        out << count << " of " << all << "; --offset and --limit show others.\n";
    }
}

void print_what_if(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 5> subject_columns{{{"subject", "SUBJECT"},
                                                            {"scope", "AT"},
                                                            {"gained", "GAINS"},
                                                            {"lost", "LOSES"},
                                                            {"unchanged", "AS BEFORE"}}};
    static constexpr std::array<Column, 4> key_columns{{{"key", "KEY"},
                                                        {"scope", "AT"},
                                                        {"permissions", "USED, WOULD BE REFUSED"},
                                                        {"lastUsed", "LAST"}}};
    out << shown(member(answer, "gaining")) << " would gain, " << shown(member(answer, "losing"))
        << " would lose; " << shown(member(answer, "totalBrokenKeys"))
        << " keys in use would be refused something.\n";
    if (size_of(answer, "subjects") > 0) {
        out << '\n';
        print_list(out, answer, "subjects", "scopes", subject_columns, subject_line);
        print_rest(out, answer, "subjects", "totalSubjects");
    }
    if (size_of(answer, "brokenKeys") > 0) {
        out << '\n';
        print_list(out, answer, "brokenKeys", "uses", key_columns, key_line);
        print_rest(out, answer, "brokenKeys", "totalBrokenKeys");
    }
    out << "\nUses of the last " << shown(member(answer, "days")) << " days were looked at; they "
        << "are recorded since " << shown(member(answer, "recordedSince")) << ".\n";
    const json::value* is_left = member(answer, "leavesAdministrator");
    if (is_left != nullptr && *is_left == json::value(false)) {
        out << "The change would be refused: it leaves no System administrator who can sign in.\n";
    }
}

ApiResult<ExitCode> judge_what_if(const json::value& answer) {
    const json::value* broken = member(answer, "totalBrokenKeys");
    if (broken == nullptr || !broken->is_int64()) {
        return std::unexpected(ApiFailure{
            ExitCode::failed, "the answer does not say which keys would break; check --url"});
    }
    return broken->get_int64() == 0 ? ExitCode::ok : ExitCode::failed;
}

} // namespace

std::vector<ApiCommand> what_if_commands() {
    return {
        {.words = "what-if",
         .help = "Tell who would gain or lose what by a change; ends with 1 if keys would break",
         .method = HttpMethod::post,
         .path = "/api/v1/authorization/what-if",
         .arguments = {{.spelling = "--add",
                        .field = "addRules",
                        .help = "An access rule: 'SUBJECT ROLE-ID SCOPE', 'ci 7 project/12'",
                        .kind = ArgumentKind::list,
                        .sent_in = SentIn::body,
                        .metavar = "RULE"},
                       {.spelling = "--remove",
                        .field = "removeRules",
                        .help = "The number of an access rule",
                        .kind = ArgumentKind::list,
                        .sent_in = SentIn::body,
                        .metavar = "N"},
                       {.spelling = "--disable-role",
                        .field = "changeRoles",
                        .help = "The number of a role of your own",
                        .kind = ArgumentKind::list,
                        .sent_in = SentIn::body,
                        .metavar = "N"},
                       {.spelling = "--file",
                        .field = "change",
                        .help = "The change as JSON, as the API takes it; - is standard input",
                        .sent_in = SentIn::body,
                        .metavar = "FILE"},
                       {.spelling = "--days",
                        .field = "days",
                        .help = "Look at the uses of so many days [90]",
                        .kind = ArgumentKind::number,
                        .sent_in = SentIn::body,
                        .metavar = "N"},
                       limit_argument("At most so many subjects and keys [100]"),
                       offset_argument},
         .print = print_what_if,
         .make_body = what_if_body,
         .judge = judge_what_if},
    };
}

} // namespace claviger
