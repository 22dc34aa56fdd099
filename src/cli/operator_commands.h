// SPDX-License-Identifier: Apache-2.0
// Runs an operator command: through the control socket where a server runs on the data directory,
// else on the directory itself. Prints to the streams given and returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/operations.h"
#include "cli/options.h"

namespace claviger {

struct OutputStreams {
    std::ostream& out;
    std::ostream& error;
};

/// "claviger: <detail>" on one line.
void print_error(const OutputStreams& streams, std::string_view detail);

ExitCode run_operator_command(const Options& options, const OperatorRequest& request,
                              const OutputStreams& streams);

/// Needs the server stopped, because it replaces the databases.
ExitCode run_restore(const Options& options, const std::filesystem::path& file,
                     const OutputStreams& streams);

} // namespace claviger
