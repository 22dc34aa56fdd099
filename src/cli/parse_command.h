// SPDX-License-Identifier: Apache-2.0
// The grammar: which commands there are, which flags each takes, and their help. The only user of
// CLI11.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "cli/options.h"

namespace claviger {

struct ParsedCommand {
    std::string command; // "serve", "tenant add"
    FlagValues flags;    // of the option table
    /// What belongs to this command alone, by name: "file", "realm", "demo".
    std::map<std::string, std::string, std::less<>> arguments;
};

/// Instead of a command: a help text, or what is wrong with the command line.
struct UsageText {
    ExitCode code = ExitCode::usage;
    std::string text;
};

/// `arguments` without the program's name.
std::expected<ParsedCommand, UsageText> parse_command(const std::vector<std::string>& arguments);

} // namespace claviger
