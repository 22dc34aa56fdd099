// SPDX-License-Identifier: Apache-2.0
// What the command line tells its caller.
#pragma once

namespace claviger {

enum class ExitCode : int {
    ok = 0,
    failed = 1,
    usage = 2,              ///< a wrong command, flag or option
    server_unreachable = 7, ///< a process holds the data directory and cannot be asked
};

} // namespace claviger
