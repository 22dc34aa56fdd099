// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_file.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include <toml++/toml.h>

#include "access/scope_type.h"
#include "auth/narrowing.h"
#include "base/text.h"
#include "cli/suggestion.h"

namespace claviger {
namespace {

constexpr std::size_t longest_file = 4 << 20; // bytes
constexpr std::array<std::string_view, 7> methods{"GET",   "HEAD",   "POST",   "PUT",
                                                  "PATCH", "DELETE", "OPTIONS"};
constexpr std::array<std::string_view, 4> places{"path", "query", "header", "id"};

std::size_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

/// Reads tables member by member, and keeps every complaint.
class Reader {
public:
    std::vector<MapProblem> problems;

    void complain(const toml::node& at, std::string text) {
        problems.push_back({line_of(at), std::move(text)});
    }

    /// Complains about members that nobody reads.
    void check_members(const toml::table& table, const std::vector<std::string>& known) {
        for (const auto& [key, value] : table) {
            if (std::ranges::find(known, key.str()) == known.end()) {
                complain(value, "unknown key " + std::string(key.str()) + "; " +
                                    did_you_mean(key.str(), known, "remove it"));
            }
        }
    }

    std::string text(const toml::table& table, std::string_view key, bool is_needed) {
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

    std::vector<std::string> texts(const toml::table& table, std::string_view key) {
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

    /// One of a few words; the first where there is none.
    std::size_t choice(const toml::table& table, std::string_view key,
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
};

ScopeFrom place_named(std::string_view key) {
    constexpr std::array<ScopeFrom, 4> from{ScopeFrom::path, ScopeFrom::query, ScopeFrom::header,
                                            ScopeFrom::fixed};
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

/// {type = "project", path = "projectId"}
ScopeSource read_scope_table(Reader& reader, const toml::table& table) {
    ScopeSource source;
    reader.check_members(table, {"type", "path", "query", "header", "id"});
    const std::string type = reader.text(table, "type", true);
    const auto known = scope_type_of(type);
    if (!known && !type.empty()) {
        reader.complain(table, "type must be one of cluster, department, project");
    }
    source.type = known.value_or(ScopeType::project);
    std::size_t count = 0;
    for (const std::string_view place : places) {
        if (table.get(place) != nullptr) {
            ++count;
            source.from = place_named(place);
            source.name = reader.text(table, place, true);
        }
    }
    if (count != 1) {
        reader.complain(table, "a scope needs one of path, query, header, id, which says where its "
                               "id stands");
    }
    return source;
}

ScopeSource read_scope(Reader& reader, const toml::table& route) {
    const toml::node* node = route.get("scope");
    if (node == nullptr) {
        reader.complain(route, "scope is missing: say \"tenant\", \"anywhere\" or such as "
                               "{type = \"project\", path = \"projectId\"}");
        return {};
    }
    if (const toml::table* table = node->as_table()) {
        return read_scope_table(reader, *table);
    }
    const auto word = node->value_exact<std::string>();
    if (word != "tenant" && word != "anywhere") {
        reader.complain(*node, "scope must be \"tenant\", \"anywhere\" or such as "
                               "{type = \"project\", path = \"projectId\"}");
    }
    ScopeSource source;
    source.from = word == "anywhere" ? ScopeFrom::anywhere : ScopeFrom::tenant;
    return source;
}

MappedRoute read_route(Reader& reader, const toml::table& table) {
    MappedRoute route;
    route.line = line_of(table);
    reader.check_members(table, {"methods", "path", "access", "permission", "scope"});
    route.methods = reader.texts(table, "methods");
    for (const std::string& method : route.methods) {
        if (std::ranges::find(methods, method) == methods.end()) {
            reader.complain(table, "\"" + method +
                                       "\" is no method that a route can have: GET, "
                                       "HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        }
    }
    route.path = reader.text(table, "path", true);
    route.passed_by = static_cast<PassedBy>(
        reader.choice(table, "access", {"permission", "authenticated", "anyone"}));
    if (route.passed_by != PassedBy::permitted) {
        for (const std::string_view key : {"permission", "scope"}) {
            if (table.get(key) != nullptr) {
                reader.complain(*table.get(key),
                                std::string(key) + " has no meaning beside this access");
            }
        }
        return route;
    }
    const std::string permission = reader.text(table, "permission", true);
    const auto known = find_permission(permission);
    if (!known && !permission.empty()) {
        reader.complain(*table.get("permission"),
                        "unknown permission " + permission +
                            "; write a resource type and an action, such as workloads:read");
    }
    route.permission = known.value_or(Permission{});
    route.scope = read_scope(reader, table);
    return route;
}

bool is_api_name(std::string_view name) {
    return name.size() <= 63 && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

ProtectedApi read_api(Reader& reader, const toml::table& table) {
    ProtectedApi api;
    api.line = line_of(table);
    reader.check_members(table, {"name", "hosts", "tenant", "resource", "unmapped", "route"});
    api.name = reader.text(table, "name", true);
    if (!is_api_name(api.name)) {
        reader.complain(*table.get("name"), "name must be of at most 63 of a-z, 0-9 and hyphens");
    }
    api.hosts = reader.texts(table, "hosts");
    api.realm = reader.text(table, "tenant", false);
    api.resource = reader.text(table, "resource", false);
    if (table.get("resource") == nullptr) {
        reader.complain(table, "resource is missing: write the API's identifier, such as "
                               "https://app.example.com");
    }
    if (!api.resource.empty() && !is_absolute_uri(api.resource)) {
        reader.complain(*table.get("resource"), "resource must be an absolute URI without a "
                                                "fragment, such as https://app.example.com");
    }
    api.unmapped = static_cast<Unmapped>(reader.choice(table, "unmapped", {"denied", "allowed"}));
    const toml::node* routes = table.get("route");
    if (routes == nullptr || !routes->is_array_of_tables()) {
        reader.complain(table, "the API has no [[api.route]]");
        return api;
    }
    for (const toml::node& route : *routes->as_array()) {
        api.routes.push_back(read_route(reader, *route.as_table()));
    }
    return api;
}

AddressList read_gateways(Reader& reader, const toml::table& file) {
    AddressList gateways;
    for (const std::string& network : reader.texts(file, "gateways")) {
        if (!gateways.add(network)) {
            reader.complain(*file.get("gateways"), "\"" + network +
                                                       "\" is no network; write such as "
                                                       "127.0.0.1/32 or 10.0.0.0/8");
        }
    }
    return gateways;
}

std::vector<std::string> with_place(const std::filesystem::path& file,
                                    std::vector<MapProblem> problems) {
    std::ranges::stable_sort(problems, {}, &MapProblem::line);
    std::vector<std::string> lines;
    lines.reserve(problems.size());
    for (const MapProblem& problem : problems) {
        lines.push_back(file.string() + ":" + std::to_string(problem.line) + ": " + problem.text);
    }
    return lines;
}

std::optional<std::string> read_text(const std::filesystem::path& file) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed) ||
        std::filesystem::file_size(file, failed) > longest_file) {
        return std::nullopt;
    }
    std::ifstream stream(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    return stream ? std::optional(std::move(text)) : std::nullopt;
}

std::expected<RouteMap, std::vector<std::string>> read_map(const std::filesystem::path& file,
                                                           const toml::table& table) {
    Reader reader;
    reader.check_members(table, {"gateways", "api"});
    AddressList gateways = read_gateways(reader, table);
    std::vector<ProtectedApi> apis;
    const toml::node* list = table.get("api");
    if (list == nullptr || !list->is_array_of_tables()) {
        reader.complain(table, "there is no [[api]]");
    } else {
        for (const toml::node& api : *list->as_array()) {
            apis.push_back(read_api(reader, *api.as_table()));
        }
    }
    if (!reader.problems.empty()) {
        return std::unexpected(with_place(file, std::move(reader.problems)));
    }
    auto map = RouteMap::build(std::move(apis), std::move(gateways));
    if (!map) {
        return std::unexpected(with_place(file, std::move(map).error()));
    }
    return *std::move(map);
}

} // namespace

std::expected<RouteMap, std::vector<std::string>>
read_route_map(const std::filesystem::path& file) {
    const auto text = read_text(file);
    if (!text) {
        return std::unexpected(
            std::vector{file.string() +
                        ": there is no such file, or it cannot be read or is longer than 4 MiB"});
    }
    toml::table table;
    try {
        table = toml::parse(*text);
    } catch (const toml::parse_error& error) {
        return std::unexpected(
            with_place(file, {{error.source().begin.line, std::string(error.description())}}));
    }
    return read_map(file, table);
}

} // namespace claviger
