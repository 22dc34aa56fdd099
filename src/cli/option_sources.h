// SPDX-License-Identifier: Apache-2.0
// Where option values come from besides flags: the environment, small files, the TOML file.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/options.h"

namespace claviger {

/// The value of an environment variable. With `take` the variable is wiped and removed.
std::optional<std::string> read_variable(const std::string& name, bool take);

/// The first line of a file. With `is_secret`, refuses a file that the group or others can read.
/// The error's detail is "<what>; <what to do>".
Result<std::string> read_first_line(const std::filesystem::path& file, bool is_secret);

struct FileSetting {
    std::string text; // as a flag would have it
    std::size_t line = 0;
};

struct OptionsFile {
    std::map<std::string, FileSetting, std::less<>> settings; // by file key
    std::vector<std::string> problems;                        // one line each, with file and line
};

/// Reads a TOML file of flat keys and checks that each is known and of the right type.
OptionsFile read_options_file(const std::filesystem::path& file);

} // namespace claviger
