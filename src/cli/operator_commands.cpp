// SPDX-License-Identifier: Apache-2.0
#include "cli/operator_commands.h"

#include <ostream>

#include "cli/control_client.h"
#include "cli/stopped_directory.h"
#include "jose/crypto.h"
#include "store/restore.h"

namespace claviger {
namespace {

ExitCode print_answer(const OperatorAnswer& answer, const OutputStreams& streams) {
    std::ostream& stream = answer.ok ? streams.out : streams.error;
    stream << (answer.ok ? "" : "claviger: ");
    for (const std::string& line : answer.lines) {
        stream << line << '\n';
    }
    return answer.ok ? ExitCode::ok : ExitCode::failed;
}

} // namespace

void print_error(const OutputStreams& streams, std::string_view detail) {
    streams.error << "claviger: " << detail << '\n';
}

ExitCode run_operator_command(const Options& options, const OperatorRequest& request,
                              const OutputStreams& streams) {
    const auto answered = ask_server(options.data, request);
    if (!answered) {
        print_error(streams, answered.error().detail());
        return ExitCode::server_unreachable;
    }
    if (*answered) {
        return print_answer(**answered, streams);
    }
    const auto directory = StoppedDirectory::open(options);
    if (!directory) {
        print_error(streams, directory.error().detail());
        return directory.error().code() == ErrorCode::conflict ? ExitCode::server_unreachable
                                                               : ExitCode::failed;
    }
    return print_answer((*directory)->operations().run(request), streams);
}

ExitCode run_restore(const Options& options, const std::filesystem::path& file,
                     const OutputStreams& streams) {
    const auto directory = DataDirectory::open(options.data);
    if (!directory) {
        const bool in_use = directory.error().code() == ErrorCode::conflict;
        print_error(streams,
                    directory.error().detail() + (in_use ? "; stop the server, then restore" : ""));
        return ExitCode::failed;
    }
    const auto hash = [](std::span<const std::uint8_t> bytes) { return sha256(bytes); };
    const auto summary = restore(file, *directory, SystemClock().now(), hash);
    if (!summary) {
        print_error(streams, summary.error().detail());
        return ExitCode::failed;
    }
    streams.out << "restored the backup of " << format_rfc3339(summary->created_at) << " into "
                << options.data.string() << '\n'
                << "The old files are in its folder before-restore-...; the server needs the "
                   "master key of that time.\n";
    return ExitCode::ok;
}

} // namespace claviger
