// SPDX-License-Identifier: Apache-2.0
// How the values of options are taken, by kind; what the table's rows have in common.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "cli/options.h"

namespace claviger {

using Complaint = std::optional<std::string>;

template <auto field>
Complaint assign_text(const OptionSpec&, std::string_view text, Options& options) {
    options.*field = std::string(text);
    return std::nullopt;
}

template <auto field>
Complaint assign_integer(const OptionSpec& spec, std::string_view text, Options& options) {
    const auto number = parse_integer<std::int64_t>(text);
    if (!number || *number < spec.least || *number > spec.most) {
        return "give a whole number from " + std::to_string(spec.least) + " to " +
               std::to_string(spec.most);
    }
    using Field = std::remove_cvref_t<decltype(options.*field)>;
    options.*field = static_cast<Field>(*number);
    return std::nullopt;
}

template <auto field>
Complaint assign_boolean(const OptionSpec&, std::string_view text, Options& options) {
    if (text != "true" && text != "false") {
        return "give true or false";
    }
    options.*field = text == "true";
    return std::nullopt;
}

template <auto field>
Complaint assign_secret(const OptionSpec&, std::string_view text, Options& options) {
    options.*field = Secret(text);
    return std::nullopt;
}

template <auto field>
Complaint assign_address(const OptionSpec&, std::string_view text, Options& options) {
    const auto address = parse_socket_address(text);
    if (!address) {
        return "give an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080";
    }
    options.*field = *address;
    return std::nullopt;
}

/// Choices stand in the order of the enumeration's values.
template <auto field>
Complaint assign_choice(const OptionSpec& spec, std::string_view text, Options& options) {
    const auto at = std::ranges::find(spec.choices, text);
    if (at == spec.choices.end()) {
        std::string complaint = "give one of";
        for (const std::string_view choice : spec.choices) {
            complaint += (complaint.ends_with("of") ? " " : ", ") + std::string(choice);
        }
        return complaint;
    }
    using Field = std::remove_cvref_t<decltype(options.*field)>;
    options.*field = static_cast<Field>(at - spec.choices.begin());
    return std::nullopt;
}

} // namespace claviger
