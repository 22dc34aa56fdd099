// SPDX-License-Identifier: Apache-2.0
#include "cli/named_subject.h"

#include <array>

namespace claviger {

NamedSubject subject_named(std::string_view text) {
    static constexpr std::array<std::string_view, 3> types{"user", "group", "service-account"};
    if (text == "me") {
        return {"caller", text};
    }
    for (const std::string_view type : types) {
        if (text.starts_with(type) && text.substr(type.size()).starts_with(':')) {
            return {type, text.substr(type.size() + 1)};
        }
    }
    return {text.contains('@') ? "user" : "service-account", text};
}

} // namespace claviger
