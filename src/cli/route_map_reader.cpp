// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_reader.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "access/scope_type.h"
#include "cli/suggestion.h"

namespace claviger {
namespace {

constexpr std::array<std::string_view, 7> methods{"GET",   "HEAD",   "POST",   "PUT",
                                                  "PATCH", "DELETE", "OPTIONS"};
constexpr std::array<std::string_view, 6> places{"path", "query", "header", "body", "id", "name"};

ScopeFrom place_named(std::string_view key) {
    constexpr std::array<ScopeFrom, 6> from{ScopeFrom::path, ScopeFrom::query, ScopeFrom::header,
                                            ScopeFrom::body, ScopeFrom::fixed, ScopeFrom::fixed};
    return from[static_cast<std::size_t>(std::ranges::find(places, key) - places.begin())];
}

std::optional<ScopeType> scope_type_of(std::string_view name) {
    for (const ScopeType type : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        if (name_of(type) == name) {
            return type;
        }
    }
    return std::nullopt;
}

} // namespace

std::size_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

std::optional<std::string> read_map_text(const std::filesystem::path& file, std::size_t longest) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed) ||
        std::filesystem::file_size(file, failed) > longest) {
        return std::nullopt;
    }
    std::ifstream stream(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    return stream ? std::optional(std::move(text)) : std::nullopt;
}

void RouteMapReader::complain(const toml::node& at, std::string text) {
    problems.push_back({line_of(at), std::move(text)});
}

void RouteMapReader::check_members(const toml::table& table,
                                   const std::vector<std::string>& known) {
    for (const auto& [key, value] : table) {
        if (std::ranges::find(known, key.str()) == known.end()) {
            complain(value, "unknown key " + std::string(key.str()) + "; " +
                                did_you_mean(key.str(), known, "remove it"));
        }
    }
}

std::string RouteMapReader::text(const toml::table& table, std::string_view key, bool is_needed) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        if (is_needed) {
            complain(table, std::string(key) + " is missing");
        }
        return {};
    }
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) {
        complain(*node, std::string(key) + " must be a text that is not empty");
    }
    return value.value_or("");
}

std::vector<std::string> RouteMapReader::texts(const toml::table& table, std::string_view key) {
    std::vector<std::string> found;
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        complain(table, std::string(key) + " is missing");
        return found;
    }
    const toml::array* array = node->as_array();
    bool is_good = array != nullptr && !array->empty();
    for (std::size_t i = 0; is_good && i < array->size(); ++i) {
        const auto value = array->get(i)->value_exact<std::string>();
        is_good = value.has_value();
        found.push_back(value.value_or(""));
    }
    if (!is_good) {
        complain(*node, std::string(key) + " must be an array of texts");
    }
    return found;
}

std::size_t RouteMapReader::choice(const toml::table& table, std::string_view key,
                                   const std::vector<std::string_view>& words) {
    if (table.get(key) == nullptr) {
        return 0;
    }
    const std::string value = text(table, key, false);
    const auto at = std::ranges::find(words, value);
    if (at == words.end()) {
        std::string all;
        for (const std::string_view word : words) {
            all += (all.empty() ? "" : ", ") + std::string(word);
        }
        complain(*table.get(key), std::string(key) + " must be one of " + all);
        return 0;
    }
    return static_cast<std::size_t>(at - words.begin());
}

/// {type = "project", path = "projectId"}
ScopeSource RouteMapReader::scope_table(const toml::table& table) {
    ScopeSource source;
    check_members(table, {"type", "path", "query", "header", "body", "id", "name", "by"});
    const std::string type = text(table, "type", true);
    const auto known = scope_type_of(type);
    if (!known && !type.empty()) {
        complain(table, "type must be one of cluster, department, project");
    }
    source.type = known.value_or(ScopeType::project);
    std::size_t count = 0;
    for (const std::string_view place : places) {
        if (table.get(place) != nullptr) {
            ++count;
            source.from = place_named(place);
            source.name = text(table, place, true);
        }
    }
    if (count != 1) {
        complain(table, "a scope needs one of path, query, header, body, id, name, which "
                        "says where to find it");
    }
    source.is_named = choice(table, "by", {"id", "name"}) == 1 || table.get("name") != nullptr;
    if (source.from == ScopeFrom::fixed && table.get("by") != nullptr) {
        complain(table, "by has no meaning beside id and name");
    }
    return source;
}

ScopeSource RouteMapReader::scope(const toml::table& of) {
    const toml::node* node = of.get("scope");
    if (node == nullptr) {
        complain(of, "scope is missing: say \"tenant\", \"anywhere\" or such as "
                     "{type = \"project\", path = \"projectId\"}");
        return {};
    }
    if (const toml::table* table = node->as_table()) {
        return scope_table(*table);
    }
    const auto word = node->value_exact<std::string>();
    if (word != "tenant" && word != "anywhere") {
        complain(*node, "scope must be \"tenant\", \"anywhere\" or such as "
                        "{type = \"project\", path = \"projectId\"}");
    }
    ScopeSource source;
    source.from = word == "anywhere" ? ScopeFrom::anywhere : ScopeFrom::tenant;
    return source;
}

MappedRoute RouteMapReader::route(const toml::table& table) {
    MappedRoute made;
    made.line = line_of(table);
    check_members(table, {"methods", "path", "access", "permission", "scope"});
    made.methods = texts(table, "methods");
    for (const std::string& method : made.methods) {
        if (std::ranges::find(methods, method) == methods.end()) {
            complain(table, "\"" + method +
                                "\" is no method that a route can have: GET, "
                                "HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        }
    }
    made.path = text(table, "path", true);
    made.passed_by =
        static_cast<PassedBy>(choice(table, "access", {"permission", "authenticated", "anyone"}));
    if (made.passed_by != PassedBy::permitted) {
        for (const std::string_view key : {"permission", "scope"}) {
            if (table.get(key) != nullptr) {
                complain(*table.get(key), std::string(key) + " has no meaning beside this access");
            }
        }
        return made;
    }
    const std::string permission = text(table, "permission", true);
    const auto known = find_permission(permission);
    if (!known && !permission.empty()) {
        complain(*table.get("permission"),
                 "unknown permission " + permission +
                     "; write a resource type and an action, such as workloads:read");
    }
    made.permission = known.value_or(Permission{});
    made.scope = scope(table);
    return made;
}

} // namespace claviger
