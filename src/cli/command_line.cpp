// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <iostream>

#include "cli/api_command.h"
#include "cli/option_sources.h"
#include "cli/options_text.h"
#include "cli/parse_command.h"
#include "cli/route_map_commands.h"

namespace claviger {
namespace {

bool report(const ResolvedOptions& resolved, const OutputStreams& streams) {
    for (const std::string& problem : resolved.problems) {
        print_error(streams, problem);
    }
    return resolved.problems.empty();
}

ExitCode show_configuration(const ParsedCommand& parsed, const OutputStreams& streams) {
    const ResolvedOptions resolved = resolve_options(parsed.flags);
    const bool good = report(resolved, streams);
    if (parsed.command == "config show") {
        streams.out << describe_effective(resolved.effective);
    } else if (good) {
        streams.out << "The configuration is good.\n";
    }
    return good ? ExitCode::ok : ExitCode::usage;
}

/// The request for the server: paths are absolute, because it has a working directory of its own.
Result<OperatorRequest> make_request(const ParsedCommand& parsed) {
    OperatorRequest request(parsed.command);
    for (const auto& [name, value] : parsed.arguments) {
        if (name == "admin-password-file" || name == "new-master-key-file") {
            const std::string secret_name = name.substr(0, name.rfind('-'));
            auto secret = read_first_line(value, true);
            if (!secret) {
                return fail(ErrorCode::invalid_request,
                            secret_name + ", from flag: " + value + " " + secret.error().detail());
            }
            request.arguments[secret_name] = std::move(*secret);
        } else if (name == "file") {
            std::error_code ignored;
            request.arguments[name] = std::filesystem::absolute(value, ignored).string();
        } else {
            request.arguments[name] = value;
        }
    }
    if (parsed.command == operator_command::tenant_add) {
        request.arguments.try_emplace("name", request.arguments["realm"]);
        request.arguments.try_emplace("host", "");
    }
    return request;
}

ExitCode run_on_directory(const ParsedCommand& parsed, const OutputStreams& streams) {
    const ResolvedOptions resolved = resolve_options(parsed.flags);
    if (!report(resolved, streams)) {
        return ExitCode::usage;
    }
    if (parsed.command == "restore") {
        return run_restore(resolved.options, parsed.arguments.at("file"), streams);
    }
    const auto request = make_request(parsed);
    if (!request) {
        print_error(streams, request.error().detail());
        return ExitCode::usage;
    }
    return run_operator_command(resolved.options, *request, streams);
}

int run_server(const ParsedCommand& parsed, const Commands& commands,
               const OutputStreams& streams) {
    ResolvedOptions resolved = resolve_options(parsed.flags);
    if (!report(resolved, streams)) {
        return static_cast<int>(ExitCode::usage);
    }
    return commands.serve({std::move(resolved.options), parsed.arguments.contains("demo")});
}

} // namespace

int run_command_line(const std::vector<std::string>& arguments, const Commands& commands,
                     const OutputStreams& streams) {
    const auto parsed = parse_command(arguments);
    if (!parsed) {
        const UsageText& usage = parsed.error();
        (usage.code == ExitCode::ok ? streams.out : streams.error) << usage.text;
        return static_cast<int>(usage.code);
    }
    if (parsed->command == "serve") {
        return run_server(*parsed, commands, streams);
    }
    ExitCode code = ExitCode::ok;
    if (parsed->command == "openapi") {
        streams.out << commands.openapi();
    } else if (parsed->command == "version") {
        streams.out << "claviger " << commands.version << '\n';
    } else if (parsed->command == "config reference") {
        streams.out << options_reference();
    } else if (parsed->command.starts_with("config ")) {
        code = show_configuration(*parsed, streams);
    } else if (parsed->command.starts_with("routes ")) {
        code = run_route_map_command(parsed->command, parsed->arguments, streams);
    } else if (const ApiCommand* command = find_api_command(parsed->command)) {
        code = run_api_command(*command, parsed->arguments, streams);
    } else {
        code = run_on_directory(*parsed, streams);
    }
    streams.out.flush();
    if (!streams.out) {
        print_error(streams, "the output could not be written: standard output; check the disk "
                             "or the other end of the pipe");
        return static_cast<int>(ExitCode::failed);
    }
    return static_cast<int>(code);
}

int run_command_line(int argc, char** argv, const Commands& commands) {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return run_command_line(arguments, commands, {std::cout, std::cerr});
}

} // namespace claviger
