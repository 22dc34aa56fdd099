// SPDX-License-Identifier: Apache-2.0
// Commands that call the API, as declarations: words, arguments, which operation they become, and
// how its answer is printed. The grammar, the help, the call and the exit code follow from them.
//
// A new command is an entry in a list of an api_commands_SUBJECT.cpp; a new list is declared below
// and joined in api_command.cpp.
#pragma once

#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "cli/api_session.h"
#include "cli/operator_commands.h"

namespace claviger {

enum class ArgumentKind : std::uint8_t {
    text,
    number,      ///< a whole number
    time_span,   ///< like 12h; sent in seconds
    flag,        ///< without a value: true when it is given
    list,        ///< separated by commas, or given several times
    key,         ///< a client id, a name or an id; sent as the id
    secret_file, ///< a file whose first line is sent; "-" is standard input
};

enum class SentIn : std::uint8_t { path, query, body };

struct ApiArgument {
    std::string_view spelling; // "KEY", or a flag: "--days"
    std::string_view field;    // its name in the path, query or body: "days"
    std::string_view help;
    ArgumentKind kind = ArgumentKind::text;
    SentIn sent_in = SentIn::query;
    std::string_view metavar = ""; // of a flag with a value: "N"
    bool is_required = false;
};

enum class BodyEncoding : std::uint8_t { json, form };

struct ApiCommand {
    std::string_view words; // "unused keys"
    std::string_view help;
    HttpMethod method = HttpMethod::get;
    /// In braces, a field of the arguments. "{key}" is collection and id, as Key::path() has
    /// them, or "me" where none is named, and "{key.id}" the id alone.
    std::string_view path;
    std::vector<ApiArgument> arguments;
    /// Members that the body always has, as JSON: `"type":"key"`.
    std::string_view fixed_members = "";
    /// For people; `--json` prints the answer itself.
    void (*print)(std::ostream& out, const boost::json::value& answer) = nullptr;
    BodyEncoding encoding = BodyEncoding::json;
    /// The body, as JSON, where its members are not one argument each.
    ApiResult<std::string> (*make_body)(const ArgumentValues& values) = nullptr;
    /// How the command ends on an answer, where that depends on what the answer says.
    ApiResult<ExitCode> (*judge)(const boost::json::value& answer) = nullptr;
};

/// The first word of commands with two.
struct CommandGroup {
    std::string_view name;
    std::string_view help;
};

/// Which page of a list is wanted, in a body: put_number() puts it there.
constexpr ApiArgument limit_argument(std::string_view help) {
    return {.spelling = "--limit",
            .field = "limit",
            .help = help,
            .kind = ArgumentKind::number,
            .sent_in = SentIn::body,
            .metavar = "N"};
}
inline constexpr ApiArgument offset_argument{.spelling = "--offset",
                                             .field = "offset",
                                             .help = "Without the first so many",
                                             .kind = ArgumentKind::number,
                                             .sent_in = SentIn::body,
                                             .metavar = "N"};
/// Puts the whole number of the argument into the body, if it was given.
ApiResult<void> put_number(boost::json::object& body, const ArgumentValues& values,
                           const std::string& name);

/// Flags of every command that calls the API.
std::span<const ApiArgument> common_api_arguments();
std::span<const ApiCommand> api_commands();
std::span<const CommandGroup> api_command_groups();
/// Nothing when the words are no such command.
const ApiCommand* find_api_command(std::string_view words);

/// The name under which the grammar gives the value of an argument: "KEY", "days".
std::string argument_name(const ApiArgument& argument);

using FindKey = std::function<ApiResult<Key>(std::string_view)>;
/// The call that a command with these values is. Reads files of secrets, and nothing else.
ApiResult<ApiCall> make_call(const ApiCommand& command, const ArgumentValues& values,
                             const FindKey& find_key);

ExitCode run_api_command(const ApiCommand& command, const ArgumentValues& values,
                         const OutputStreams& streams);

// --- the lists ----------------------------------------------------------------------------------

std::vector<ApiCommand> access_commands();
std::vector<ApiCommand> credential_commands();
std::vector<ApiCommand> decision_commands();
std::vector<ApiCommand> diagnosis_commands();
std::vector<ApiCommand> rotation_commands();
std::vector<ApiCommand> usage_commands();
std::vector<ApiCommand> what_if_commands();

} // namespace claviger
