// SPDX-License-Identifier: Apache-2.0
// Options as people read them: the effective values, the reference page, the help of a flag.
#pragma once

#include <span>
#include <string>

#include "cli/options.h"

namespace claviger {

/// A table of name, value and origin, one line an option.
std::string describe_effective(std::span<const EffectiveOption> effective);

/// docs/reference/options.md
std::string options_reference();

/// What `--help` says of an option.
std::string help_of(const OptionSpec& spec);

} // namespace claviger
