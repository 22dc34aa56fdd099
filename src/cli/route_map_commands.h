// SPDX-License-Identifier: Apache-2.0
// Commands about a route map file, which need no server: is it good, and what does it say of a
// request.
#pragma once

#include <map>
#include <string>

#include "cli/operator_commands.h"

namespace claviger {

/// "routes check" and "routes test", with their arguments by name.
ExitCode run_route_map_command(const std::string& command,
                               const std::map<std::string, std::string, std::less<>>& arguments,
                               const OutputStreams& streams);

} // namespace claviger
