// SPDX-License-Identifier: Apache-2.0
// Commands that ask who may do what.
#include <array>
#include <ostream>

#include <boost/json/serialize.hpp>

#include "cli/api_command.h"
#include "cli/grounds_text.h"
#include "cli/named_subject.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::string_view check_path = "/api/v1/authorization/check";

std::string value_of(const ArgumentValues& values, const std::string& name) {
    const auto at = values.find(name);
    return at == values.end() ? std::string() : at->second;
}

// --- what is sent -------------------------------------------------------------------------------

/// "project/12", or an id alone.
void put_scope(json::object& resource, std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        resource["id"] = text;
        return;
    }
    resource["id"] = text.substr(slash + 1);
    resource["properties"] = json::object{{"scopeType", text.substr(0, slash)}};
}

/// The node at which the resource lies is named by --at; a project, department or cluster may be
/// named itself: "project/12". With neither, the tenant is meant.
ApiResult<json::object> resource_named(const ArgumentValues& values) {
    const std::string text = value_of(values, "RESOURCE");
    const std::size_t slash = text.find('/');
    json::object resource{{"type", std::string_view(text).substr(0, slash)}};
    const auto scope = values.find("at");
    if (scope != values.end() && slash != std::string::npos) {
        return std::unexpected(ApiFailure{ExitCode::usage,
                                          "RESOURCE and --at name a scope each: command line; give "
                                          "the type alone, or leave --at out"});
    }
    if (scope != values.end()) {
        put_scope(resource, scope->second);
    } else if (slash != std::string::npos) {
        put_scope(resource, text);
    }
    return resource;
}

ApiResult<json::object> question(const ArgumentValues& values) {
    const json::object resource = TRY(resource_named(values));
    return json::object{{"action", {{"name", value_of(values, "ACTION")}}}, {"resource", resource}};
}

ApiResult<std::string> check_body(const ArgumentValues& values) {
    json::object body = TRY(question(values));
    const std::string named = value_of(values, "SUBJECT");
    const NamedSubject subject = subject_named(named);
    body["subject"] = json::object{{"type", subject.type}, {"id", subject.id}};
    body["explain"] = values.contains("explain");
    return json::serialize(body);
}

ApiResult<std::string> who_can_body(const ArgumentValues& values) {
    json::object body = TRY(question(values));
    for (const char* number : {"limit", "offset"}) {
        TRY(put_number(body, values, number));
    }
    return json::serialize(body);
}

// --- what comes back ----------------------------------------------------------------------------

ApiResult<ExitCode> judge_check(const json::value& answer) {
    const json::value* context = member(answer, "context");
    const json::value* error = context == nullptr ? nullptr : member(*context, "error");
    if (error != nullptr && !error->is_null()) {
        return std::unexpected(
            ApiFailure{ExitCode::denied, shown(member(*error, "message")) + ": POST " +
                                             std::string(check_path) + "; ask an administrator"});
    }
    const json::value* decision = member(answer, "decision");
    if (decision == nullptr || !decision->is_bool()) {
        return std::unexpected(ApiFailure{ExitCode::failed, "the answer holds no decision: POST " +
                                                                std::string(check_path) +
                                                                "; check --url"});
    }
    return decision->get_bool() ? ExitCode::ok : ExitCode::failed;
}

/// "12, which gives Viewer (7) to group staff at department 2".
std::string rule_text(const json::value& rule) {
    const json::value* scope = member(rule, "scope");
    return shown(member(rule, "id")) + ", which gives " + shown(member(rule, "roleName")) + " (" +
           shown(member(rule, "roleId")) + ") to " + shown(member(rule, "subjectType")) + " " +
           shown(member(rule, "subjectId")) +
           (scope == nullptr ? std::string() : " at " + scope_text(*scope));
}

std::string text_or_nothing(const json::value* text) {
    return text == nullptr || text->is_null() ? std::string() : shown(text);
}

void print_explanation(std::ostream& out, const json::value& explanation) {
    Lines lines;
    const json::value* scope = member(explanation, "scope");
    const std::string missing = text_or_nothing(member(explanation, "missingPermission"));
    if (missing.empty()) {
        lines.add("permission", text_or_nothing(member(explanation, "permission")));
    }
    lines.add("missing", missing);
    lines.add("asked at", scope == nullptr ? std::string() : scope_text(*scope));
    if (const json::value* rule = member(explanation, "rule"); rule != nullptr) {
        lines.add("rule", rule_text(*rule));
    }
    lines.add("inherited", joined(member(explanation, "inheritance"), scope_text, " > "));
    if (const std::string limit = text_or_nothing(member(explanation, "limit")); !limit.empty()) {
        lines.add("limit", limit + ": no access rule helps");
    }
    lines.add("held there", joined(member(explanation, "heldThere"), plain, ", "));
    lines.add("held at", joined(member(explanation, "heldAt"), scope_text, ", "));
    std::move(lines).print(out);
    print_grants(out, member(explanation, "smallestGrants"));
}

void print_check(std::ostream& out, const json::value& answer) {
    const json::value* decision = member(answer, "decision");
    const json::value* context = member(answer, "context");
    if (decision != nullptr && *decision == json::value(true)) {
        out << "allowed\n";
    } else {
        out << "denied: " << shown(context == nullptr ? nullptr : member(*context, "reason"))
            << '\n';
    }
    if (const json::value* explanation = member(answer, "explanation")) {
        print_explanation(out, *explanation);
    }
}

void print_subjects(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 5> columns{
        {{"type", "KIND"}, {"id", "NAME"}, {"rule", "RULE"}, {"role", "ROLE"}, {"scope", "AT"}}};
    const json::value* subjects = member(answer, "subjects");
    json::array lines;
    for (const json::value& subject :
         subjects != nullptr && subjects->is_array() ? subjects->get_array() : json::array()) {
        const json::value* rule = member(subject, "rule");
        const json::value* scope = rule == nullptr ? nullptr : member(*rule, "scope");
        lines.push_back({{"type", shown(member(subject, "type"))},
                         {"id", shown(member(subject, "id"))},
                         {"rule", rule == nullptr ? "-" : shown(member(*rule, "id"))},
                         {"role", rule == nullptr ? "-" : shown(member(*rule, "roleName"))},
                         {"scope", scope == nullptr ? "-" : scope_text(*scope)}});
    }
    const std::string count = std::to_string(lines.size());
    const json::value table(std::move(lines));
    print_table(out, &table, columns, "Nobody may.");
    if (const std::string all = shown(member(answer, "total")); all != count) {
        out << count << " of " << all << "; --offset and --limit show others.\n";
    }
}

constexpr ApiArgument action{.spelling = "ACTION",
                             .field = "action",
                             .help = "create, read, update, delete, sync or custom",
                             .sent_in = SentIn::body,
                             .is_required = true};
constexpr ApiArgument resource{
    .spelling = "RESOURCE",
    .field = "resource",
    .help = "A resource type, like workspaces, or one of the tree: project/ID",
    .sent_in = SentIn::body,
    .is_required = true};

ApiArgument place() {
    return {.spelling = "--at",
            .field = "resource",
            .help = "Where it lies: an id of the tree, or project/ID, department/ID, cluster/UUID",
            .sent_in = SentIn::body,
            .metavar = "SCOPE"};
}

} // namespace

std::vector<ApiCommand> decision_commands() {
    return {
        {.words = "can",
         .help = "Say whether a subject may do something; ends with 1 when not",
         .method = HttpMethod::post,
         .path = check_path,
         .arguments = {{.spelling = "SUBJECT",
                        .field = "subject",
                        .help = "me, user:EMAIL, group:NAME or service-account:NAME",
                        .sent_in = SentIn::body,
                        .is_required = true},
                       action,
                       resource,
                       place(),
                       {.spelling = "--explain",
                        .field = "explain",
                        .help = "Say by which rule, or what is missing",
                        .kind = ArgumentKind::flag,
                        .sent_in = SentIn::body}},
         .print = print_check,
         .make_body = check_body,
         .judge = judge_check},
        {.words = "who-can",
         .help = "List who may do something somewhere, and by which access rules",
         .method = HttpMethod::post,
         .path = "/api/v1/authorization/who-can",
         .arguments = {action, resource, place(), limit_argument("At most so many [100]"),
                       offset_argument},
         .print = print_subjects,
         .make_body = who_can_body},
    };
}

} // namespace claviger
