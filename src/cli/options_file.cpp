// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include <toml++/toml.h>

#include "cli/option_sources.h"
#include "cli/suggestion.h"

namespace claviger {
namespace {

/// "claviger.toml:12"
std::string place(const std::filesystem::path& file, std::size_t line) {
    return file.string() + ":" + std::to_string(line);
}

std::string_view name_of(toml::node_type type) {
    switch (type) {
    case toml::node_type::string:
        return "a string";
    case toml::node_type::integer:
        return "an integer";
    case toml::node_type::boolean:
        return "a boolean";
    case toml::node_type::array:
        return "an array";
    case toml::node_type::table:
        return "a table";
    case toml::node_type::floating_point:
        return "a floating-point number";
    default:
        return "a date or time";
    }
}

std::string_view wanted_type(OptionKind kind) {
    switch (kind) {
    case OptionKind::integer:
        return "an integer";
    case OptionKind::boolean:
        return "true or false";
    case OptionKind::list:
        return "an array of strings";
    default:
        return "a string";
    }
}

std::optional<std::string> joined_strings(const toml::array& array) {
    std::string text;
    for (const toml::node& element : array) {
        const auto value = element.value_exact<std::string>();
        if (!value) {
            return std::nullopt;
        }
        text += (text.empty() ? "" : ",") + *value;
    }
    return text;
}

/// The value as a flag would have it, or nothing when its type is wrong.
std::optional<std::string> text_of(const toml::node& node, OptionKind kind) {
    switch (kind) {
    case OptionKind::integer: {
        const auto number = node.value_exact<std::int64_t>();
        return number ? std::optional(std::to_string(*number)) : std::nullopt;
    }
    case OptionKind::boolean: {
        const auto truth = node.value_exact<bool>();
        return truth ? std::optional<std::string>(*truth ? "true" : "false") : std::nullopt;
    }
    case OptionKind::list:
        return node.is_array() ? joined_strings(*node.as_array()) : std::nullopt;
    default:
        return node.value_exact<std::string>();
    }
}

const OptionSpec* find_by_file_key(std::string_view key) {
    for (const OptionSpec& spec : option_table()) {
        if (spec.in_file && file_key_of(spec) == key) {
            return &spec;
        }
    }
    return nullptr;
}

std::string unknown_key(std::string_view key, const std::string& where, bool is_table) {
    std::vector<std::string> known;
    for (const OptionSpec& spec : option_table()) {
        if (spec.in_file) {
            known.push_back(file_key_of(spec));
        }
        if (spec.kind == OptionKind::secret && spec.name == key) {
            return std::string(key) + " is a secret: " + where + "; write " + file_key_of(spec) +
                   " = \"FILE\", or set " + variable_of(spec);
        }
    }
    const std::string otherwise = is_table ? "keys are flat, without [sections]"
                                           : "\"claviger config reference\" lists the keys";
    return "unknown key " + in_quotes(key) + ": " + where + "; " +
           did_you_mean(key, known, otherwise);
}

void take_key(std::string_view key, const toml::node& node, const std::filesystem::path& file,
              OptionsFile& result) {
    const std::size_t line = node.source().begin.line;
    const OptionSpec* spec = find_by_file_key(key);
    if (spec == nullptr) {
        result.problems.push_back(unknown_key(key, place(file, line), node.is_table()));
        return;
    }
    auto text = text_of(node, spec->kind);
    if (!text) {
        result.problems.push_back(std::string(key) + " is " + std::string(name_of(node.type())) +
                                  ": " + place(file, line) + "; write " +
                                  std::string(wanted_type(spec->kind)));
        return;
    }
    result.settings[std::string(key)] = {std::move(*text), line};
}

} // namespace

OptionsFile read_options_file(const std::filesystem::path& file) {
    OptionsFile result;
    std::ifstream stream(file);
    stream.peek(); // reports what cannot be read, such as a folder
    if (!stream.is_open() || stream.bad()) {
        result.problems.push_back("the configuration file cannot be read: " + file.string() +
                                  "; name a readable TOML file");
        return result;
    }
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    try {
        const toml::table table = toml::parse(content, file.string());
        for (const auto& [key, node] : table) {
            take_key(key.str(), node, file, result);
        }
    } catch (const toml::parse_error& error) {
        result.problems.push_back(
            "the file is not valid TOML: " + place(file, error.source().begin.line) + "; " +
            std::string(error.description()));
    }
    return result;
}

} // namespace claviger
