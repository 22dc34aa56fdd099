// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_file.h"

#include <algorithm>
#include <array>
#include <set>

#include <toml++/toml.h>

#include "access/scope_type.h"
#include "auth/narrowing.h"
#include "base/text.h"
#include "cli/route_map_openapi.h"
#include "cli/route_map_reader.h"

namespace claviger {
namespace {

constexpr std::size_t longest_file = 4 << 20; // bytes
bool is_api_name(std::string_view name) {
    return name.size() <= 63 && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

ProtectedApi read_api(RouteMapReader& reader, const toml::table& table,
                      const std::filesystem::path& folder) {
    ProtectedApi api;
    api.line = line_of(table);
    reader.check_members(table, {"name", "hosts", "tenant", "resource", "unmapped", "route",
                                 "openapi", "base_path", "tags"});
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
    const bool has_document = table.get("openapi") != nullptr;
    if (has_document) {
        read_openapi_routes(reader, table, folder, api);
    }
    for (const std::string_view key : {"base_path", "tags"}) {
        if (!has_document && table.get(key) != nullptr) {
            reader.complain(*table.get(key), std::string(key) + " has no meaning without openapi");
        }
    }
    const toml::node* routes = table.get("route");
    if ((routes == nullptr && !has_document) ||
        (routes != nullptr && !routes->is_array_of_tables())) {
        reader.complain(table, "the API has no [[api.route]]");
        return api;
    }
    if (routes != nullptr) {
        for (const toml::node& route : *routes->as_array()) {
            api.routes.push_back(reader.route(*route.as_table()));
        }
    }
    return api;
}

/// Routes name the permissions of these types: they are added before routes are read.
void read_resource_types(RouteMapReader& reader, const toml::table& file) {
    const toml::node* list = file.get("resource_type");
    if (list == nullptr) {
        return;
    }
    if (!list->is_array_of_tables()) {
        reader.complain(*list, "write [[resource_type]] for each resource type");
        return;
    }
    std::set<std::string> names;
    for (const toml::node& node : *list->as_array()) {
        const toml::table& table = *node.as_table();
        reader.check_members(table, {"name", "display_name"});
        const std::string name = reader.text(table, "name", true);
        const std::string display_name = reader.text(table, "display_name", false);
        if (name.empty()) {
            continue;
        }
        if (!names.insert(name).second) {
            reader.complain(table, "two resource types are named " + name);
        } else if (!add_resource_type(name, display_name.empty() ? name : display_name)) {
            reader.complain(table, "the resource type " + name +
                                       " cannot be added: a name is not one of Claviger's own, "
                                       "and at most 63 of a-z, 0-9, - and _, beginning with a "
                                       "letter; there are at most 1000");
        }
    }
}

AddressList read_gateways(RouteMapReader& reader, const toml::table& file) {
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

std::expected<RouteMap, std::vector<std::string>> read_map(const std::filesystem::path& file,
                                                           const toml::table& table) {
    RouteMapReader reader;
    reader.check_members(table, {"gateways", "resource_type", "api"});
    read_resource_types(reader, table);
    AddressList gateways = read_gateways(reader, table);
    std::vector<ProtectedApi> apis;
    const toml::node* list = table.get("api");
    if (list == nullptr || !list->is_array_of_tables()) {
        reader.complain(table, "there is no [[api]]");
    } else {
        for (const toml::node& api : *list->as_array()) {
            apis.push_back(read_api(reader, *api.as_table(), file.parent_path()));
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
    const auto text = read_map_text(file, longest_file);
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
