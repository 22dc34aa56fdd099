// SPDX-License-Identifier: Apache-2.0
// Composition: puts a server together from its options and runs it until it is told to stop.
#pragma once

#include "cli/command_line.h"

namespace claviger {

/// Serves until SIGTERM or SIGINT. Returns the exit code; a start-up error is one line on standard
/// error. `version` is for the metrics.
int serve(ServeOptions options, std::string_view version);

} // namespace claviger
