// SPDX-License-Identifier: Apache-2.0
#include "cli/grounds_text.h"

#include <ostream>
#include <utility>

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::size_t most_names = 8; // of permissions, in one line

/// "Viewer (7) at project 12; it also allows 3: a, b, c".
std::string grant_text(const json::value& grant) {
    const json::value* scope = member(grant, "scopeType");
    std::string text = shown(member(grant, "roleName")) + " (" + shown(member(grant, "roleId")) +
                       ") at " +
                       (scope == nullptr || scope->is_null() ? "any scope" : scope_text(grant));
    const json::value* also = member(grant, "alsoAllows");
    if (also == nullptr || !also->is_array() || also->get_array().empty()) {
        return text + "; it allows nothing else";
    }
    text += "; it also allows " + shown(member(grant, "alsoAllowsCount")) + ": ";
    const json::array& names = also->get_array();
    for (std::size_t i = 0; i < names.size() && i < most_names; ++i) {
        text += (i == 0 ? "" : ", ") + shown(&names[i]);
    }
    return names.size() > most_names ? text + ", ..." : text;
}

} // namespace

std::string scope_text(const json::value& scope) {
    const json::value* path = member(scope, "path");
    return shown(member(scope, "scopeType")) + " " + shown(member(scope, "scopeId")) +
           (path == nullptr || path->is_null() ? "" : " (" + shown(path) + ")");
}

std::string joined(const json::value* items, std::string (*text_of_item)(const json::value&),
                   std::string_view between) {
    std::string text;
    if (items != nullptr && items->is_array()) {
        for (const json::value& item : items->get_array()) {
            text += (text.empty() ? "" : std::string(between)) + text_of_item(item);
        }
    }
    return text;
}

std::string plain(const json::value& item) {
    return shown(&item);
}

void print_grants(std::ostream& out, const json::value* grants) {
    if (grants == nullptr || !grants->is_array() || grants->get_array().empty()) {
        return;
    }
    out << "The smallest access rules that would do, any one of them:\n";
    for (const json::value& grant : grants->get_array()) {
        out << "  " << grant_text(grant) << '\n';
    }
}

void Lines::add(std::string_view title, std::string_view text) {
    if (!text.empty()) {
        columns_.push_back({title, title});
        texts_[title] = text;
    }
}

void Lines::print(std::ostream& out) && {
    print_members(out, json::value(std::move(texts_)), columns_);
}

} // namespace claviger
