// SPDX-License-Identifier: Apache-2.0
#include "cli/api_command.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <ranges>

#include <boost/json/serialize.hpp>

#include "base/text.h"
#include "base/time_span.h"
#include "cli/option_sources.h"

namespace claviger {
namespace {

constexpr std::array<ApiArgument, 5> common_arguments{{
    {.spelling = "--url",
     .field = "",
     .help = "Address of the server [CLAVIGER_URL]",
     .metavar = "URL"},
    {.spelling = "--ca-file",
     .field = "",
     .help = "Certificates to trust instead of the system's [CLAVIGER_CA_FILE]",
     .metavar = "FILE"},
    {.spelling = "--timeout",
     .field = "",
     .help = "Seconds to wait for an answer [30]",
     .metavar = "N"},
    {.spelling = "--allow-http",
     .field = "",
     .help = "Send credentials in the clear to another machine",
     .kind = ArgumentKind::flag},
    {.spelling = "--json",
     .field = "",
     .help = "Print the answer of the API as it is",
     .kind = ArgumentKind::flag},
}};

std::vector<ApiCommand> joined_commands() {
    std::vector<ApiCommand> all = access_commands();
    std::ranges::move(credential_commands(), std::back_inserter(all));
    std::ranges::move(decision_commands(), std::back_inserter(all));
    std::ranges::move(diagnosis_commands(), std::back_inserter(all));
    std::ranges::move(rotation_commands(), std::back_inserter(all));
    std::ranges::move(usage_commands(), std::back_inserter(all));
    std::ranges::move(what_if_commands(), std::back_inserter(all));
    return all;
}

std::unexpected<ApiFailure> misuse(const ApiArgument& argument, std::string_view what_to_do) {
    return std::unexpected(ApiFailure{ExitCode::usage, std::string(argument.spelling) +
                                                           " is not accepted: command line; " +
                                                           std::string(what_to_do)});
}

ApiResult<Secret> read_secret_file(const ApiArgument& argument, const std::string& file) {
    const bool is_input = file == "-";
    auto line = read_first_line(is_input ? "/dev/stdin" : file, !is_input);
    if (!line) {
        return misuse(argument, printable(file) + " " + line.error().detail());
    }
    return Secret(std::move(*line));
}

/// Builds one call, argument by argument.
class CallBuilder {
public:
    explicit CallBuilder(const ApiCommand& command)
        : command_(command), path_(command.path), body_(command.fixed_members) {}

    ApiResult<void> take(const ApiArgument& argument, const std::string& value,
                         const FindKey& find_key) {
        switch (argument.kind) {
        case ArgumentKind::key: {
            const Key key = TRY(find_key(value));
            put_in_path("key", key.path());
            put_in_path("key.id", key.id);
            if (argument.sent_in != SentIn::path) {
                put(argument, key.id);
            }
            return {};
        }
        case ArgumentKind::secret_file: {
            const Secret secret = TRY(read_secret_file(argument, value));
            put(argument, secret.reveal());
            return {};
        }
        case ArgumentKind::number:
            if (!parse_integer<std::int64_t>(value)) {
                return misuse(argument, "give a whole number");
            }
            put(argument, value, value);
            return {};
        case ArgumentKind::time_span: {
            const auto seconds = parse_time_span(value);
            if (!seconds) {
                return misuse(argument, "give a time span such as 30m, 12h or 7d");
            }
            const std::string number = std::to_string(*seconds);
            put(argument, number, number);
            return {};
        }
        case ArgumentKind::flag:
            put(argument, "true", "true");
            return {};
        case ArgumentKind::list:
            put(argument, value, json_list(value));
            return {};
        case ArgumentKind::text:
            put(argument, value);
            return {};
        }
        return {};
    }

    ApiCall finish() && {
        put_in_path("key", "me"); // unless one was named
        const auto is_in_body = [](const ApiArgument& argument) {
            return argument.sent_in == SentIn::body;
        };
        const bool has_body =
            !command_.fixed_members.empty() || std::ranges::any_of(command_.arguments, is_in_body);
        ApiCall call{command_.method, std::move(path_), {}, {}};
        call.path += query_;
        if (has_body && command_.encoding == BodyEncoding::form) {
            call.content_type = "application/x-www-form-urlencoded";
            call.body = Secret(std::move(body_));
        } else if (has_body) {
            call.content_type = "application/json";
            call.body = Secret("{" + body_ + "}");
            wipe(body_);
        }
        return call;
    }

private:
    static std::string quoted(std::string_view text) {
        std::string out;
        append_json_string(out, text);
        return out;
    }

    static std::string json_list(std::string_view values) {
        std::string out;
        for (const auto part : std::views::split(values, ',')) {
            out += (out.empty() ? "" : ",") + quoted(std::string_view(part.begin(), part.end()));
        }
        return "[" + out + "]";
    }

    void put_in_path(std::string_view field, std::string_view value) {
        const std::string place = "{" + std::string(field) + "}";
        if (const auto at = path_.find(place); at != std::string::npos) {
            path_.replace(at, place.size(), value);
        }
    }

    void put(const ApiArgument& argument, std::string_view value) {
        std::string text = quoted(value);
        put(argument, value, text);
        wipe(text);
    }

    /// `in_json` is the value as JSON has it.
    void put(const ApiArgument& argument, std::string_view value, std::string_view in_json) {
        const std::string field(argument.field);
        if (argument.sent_in == SentIn::path) {
            put_in_path(field, percent_encoded(value));
        } else if (argument.sent_in == SentIn::query) {
            query_ += (query_.empty() ? "?" : "&") + field + "=" + percent_encoded(value);
        } else if (command_.encoding == BodyEncoding::form) {
            body_ += (body_.empty() ? "" : "&") + field + "=" + percent_encoded(value);
        } else {
            body_ += (body_.empty() ? "" : ",") + quoted(field) + ":";
            body_ += in_json;
        }
    }

    const ApiCommand& command_;
    std::string path_;
    std::string query_;
    std::string body_;
};

ApiResult<boost::json::value> answer_to(const ApiCommand& command, const ArgumentValues& values) {
    auto settings = read_api_settings(values);
    if (!settings) {
        return std::unexpected(ApiFailure{ExitCode::usage, settings.error().detail()});
    }
    ApiSession session(std::move(*settings));
    const ApiCall call = TRY(
        make_call(command, values, [&](std::string_view text) { return session.find_key(text); }));
    return session.call(call);
}

} // namespace

ApiResult<void> put_number(boost::json::object& body, const ArgumentValues& values,
                           const std::string& name) {
    if (const auto at = values.find(name); at != values.end()) {
        const auto number = parse_integer<std::int64_t>(at->second);
        if (!number) {
            return std::unexpected(
                ApiFailure{ExitCode::usage, "--" + name +
                                                " is not accepted: command line; give a whole "
                                                "number"});
        }
        body[name] = *number;
    }
    return {};
}

std::span<const ApiArgument> common_api_arguments() {
    return common_arguments;
}

std::span<const ApiCommand> api_commands() {
    static const std::vector<ApiCommand> commands = joined_commands();
    return commands;
}

std::span<const CommandGroup> api_command_groups() {
    static constexpr std::array<CommandGroup, 5> groups{{
        {"access", "Ask what you may do"},
        {"key", "Administer access keys and service accounts"},
        {"revoke", "End tokens before their time"},
        {"rotate", "Change the secret of a key without a refused request"},
        {"unused", "Find what nobody uses"},
    }};
    return groups;
}

const ApiCommand* find_api_command(std::string_view words) {
    const auto commands = api_commands();
    const auto at = std::ranges::find(commands, words, &ApiCommand::words);
    return at == commands.end() ? nullptr : &*at;
}

std::string argument_name(const ApiArgument& argument) {
    return std::string(argument.spelling.substr(argument.spelling.starts_with("--") ? 2 : 0));
}

ApiResult<ApiCall> make_call(const ApiCommand& command, const ArgumentValues& values,
                             const FindKey& find_key) {
    CallBuilder builder(command);
    for (const ApiArgument& argument : command.arguments) {
        if (argument.sent_in == SentIn::body && command.make_body != nullptr) {
            continue;
        }
        if (const auto at = values.find(argument_name(argument)); at != values.end()) {
            TRY(builder.take(argument, at->second, find_key));
        }
    }
    ApiCall call = std::move(builder).finish();
    if (command.make_body != nullptr) {
        call.content_type = "application/json";
        call.body = Secret(TRY(command.make_body(values)));
    }
    return call;
}

ExitCode run_api_command(const ApiCommand& command, const ArgumentValues& values,
                         const OutputStreams& streams) {
    const auto answer = answer_to(command, values);
    if (!answer) {
        print_error(streams, answer.error().line);
        return answer.error().code;
    }
    const ApiResult<ExitCode> code =
        command.judge == nullptr ? ExitCode::ok : command.judge(*answer);
    if (!code) {
        print_error(streams, code.error().line);
        return code.error().code;
    }
    if (values.contains("json")) {
        streams.out << boost::json::serialize(*answer) << '\n';
    } else {
        command.print(streams.out, *answer);
    }
    return *code;
}

} // namespace claviger
