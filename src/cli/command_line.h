// SPDX-License-Identifier: Apache-2.0
// The command line: claviger <command> [flags]. Parses it, finds the effective options, and runs
// the command. What a server and its API do is given by the caller, because both stand above this
// module.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/operator_commands.h"
#include "cli/options.h"

namespace claviger {

struct ServeOptions {
    Options options;
    bool demo = false; // put demo data into an empty directory
};

struct Commands {
    /// Runs until it is told to stop; gives the exit code.
    std::function<int(ServeOptions)> serve;
    /// The API description as JSON.
    std::function<std::string()> openapi;
    std::string version; // "0.1.0"
};

/// `arguments` without the program's name. Returns the exit code.
int run_command_line(const std::vector<std::string>& arguments, const Commands& commands,
                     const OutputStreams& streams);

/// With the process's own arguments and streams.
int run_command_line(int argc, char** argv, const Commands& commands);

} // namespace claviger
