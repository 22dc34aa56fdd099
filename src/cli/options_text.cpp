// SPDX-License-Identifier: Apache-2.0
#include "cli/options_text.h"

#include <algorithm>

namespace claviger {
namespace {

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    out.append(width > text.size() ? width - text.size() : 0, ' ');
    return out;
}

/// The accepted values: bounds, choices, or the kind of text.
std::string values_of(const OptionSpec& spec) {
    switch (spec.kind) {
    case OptionKind::integer:
        return std::to_string(spec.least) + " to " + std::to_string(spec.most);
    case OptionKind::boolean:
        return "true, false";
    case OptionKind::choice: {
        std::string text;
        for (const std::string_view choice : spec.choices) {
            text += (text.empty() ? "" : ", ") + std::string(choice);
        }
        return text;
    }
    default:
        return std::string(spec.metavar);
    }
}

/// Without values that depend on the machine.
std::string reference_default(const OptionSpec& spec) {
    if (spec.default_depends_on_machine) {
        return std::string(spec.without);
    }
    return spec.default_text.empty() ? std::string(spec.without)
                                     : "`" + std::string(spec.default_text) + "`";
}

std::string shown_value(const EffectiveOption& option) {
    if (!option.value.empty()) {
        return option.value;
    }
    const auto spec = std::ranges::find(option_table(), option.name, &OptionSpec::name);
    return "(" + std::string(spec->without) + ")";
}

constexpr std::string_view reference_opening = R"(# Options of the server

This page is printed by `claviger config reference`; do not edit it by hand.

Each option is a flag of `claviger serve`, an environment variable, and a key in the TOML file that
`--config` names. A flag wins over a variable, a variable over the file, the file over the default.
`claviger config show` prints the values in effect and where each came from; `claviger config check`
only looks for mistakes. Both take the same flags as `serve`.

- Keys in the file are flat: `token-lifetime = 3600`. An unknown key is an error.
- Every variable of an option that is not a path also exists with `_FILE` at its end; it then names
  a file whose first line is the value.
- Secrets are given as a variable or in a file, never as a flag's value. The file must not be
  readable by the group or others (`chmod 600`). The variable is removed from the environment of the
  server once it has been read.
- Relative paths start at the working directory of the process.

| flag | variable | key in the file | value | default | meaning |
|---|---|---|---|---|---|
)";

} // namespace

std::string describe_effective(std::span<const EffectiveOption> effective) {
    std::size_t name_width = 0;
    std::size_t value_width = 0;
    for (const EffectiveOption& option : effective) {
        name_width = std::max(name_width, option.name.size());
        value_width = std::max(value_width, shown_value(option).size());
    }
    std::string out =
        padded("OPTION", name_width) + "  " + padded("VALUE", value_width) + "  ORIGIN\n";
    for (const EffectiveOption& option : effective) {
        out += padded(option.name, name_width) + "  " + padded(shown_value(option), value_width) +
               "  " + option.origin + "\n";
    }
    return out;
}

std::string options_reference() {
    std::string out(reference_opening);
    for (const OptionSpec& spec : option_table()) {
        const std::string variable = "`" + variable_of(spec) + "`";
        const std::string key = spec.in_file ? "`" + file_key_of(spec) + "`" : "";
        out += "| `" + flag_of(spec) + "` | " + variable + " | " + key + " | " + values_of(spec) +
               " | " + reference_default(spec) + " | " + std::string(spec.help) + " |\n";
    }
    return out;
}

std::string help_of(const OptionSpec& spec) {
    std::string text(spec.help);
    if (spec.kind == OptionKind::secret) {
        text = "File with the " + std::string(spec.name) + " (or set " + variable_of(spec) + "). " +
               text;
    }
    if (spec.kind == OptionKind::integer || spec.kind == OptionKind::choice) {
        text += ": " + values_of(spec);
    }
    const std::string_view fallback = spec.default_text.empty() ? spec.without : spec.default_text;
    return text + " [" + std::string(fallback) + "]";
}

} // namespace claviger
