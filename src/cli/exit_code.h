// SPDX-License-Identifier: Apache-2.0
// What the command line tells its caller. docs/guides/command-line.md has the same list.
#pragma once

namespace claviger {

enum class ExitCode : int {
    ok = 0,
    failed = 1,             ///< none of the below; of a question, that the answer is no
    usage = 2,              ///< a wrong command, flag, option or variable, or value of one
    refused = 3,            ///< the server does not take the credentials
    denied = 4,             ///< a permission is missing
    not_found = 5,          ///< nothing has this name or id
    try_later = 6,          ///< throttled or busy
    server_unreachable = 7, ///< no answer, or a process holds the data directory and gives none
};

} // namespace claviger
