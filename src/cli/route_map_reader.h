// SPDX-License-Identifier: Apache-2.0
// Reads the parts of a route map, and keeps every complaint. Private to route_map_*.cpp.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "api/route_map.h"

namespace claviger {

std::size_t line_of(const toml::node& node);

/// Nothing when there is no such file, or it cannot be read or is longer than so many bytes.
std::optional<std::string> read_map_text(const std::filesystem::path& file, std::size_t longest);

/// Reads tables member by member.
class RouteMapReader {
public:
    std::vector<MapProblem> problems;

    void complain(const toml::node& at, std::string text);
    /// Complains about members that nobody reads.
    void check_members(const toml::table& table, const std::vector<std::string>& known);
    std::string text(const toml::table& table, std::string_view key, bool is_needed);
    std::vector<std::string> texts(const toml::table& table, std::string_view key);
    /// One of a few words; the first where there is none.
    std::size_t choice(const toml::table& table, std::string_view key,
                       const std::vector<std::string_view>& words);
    /// A [[api.route]].
    MappedRoute route(const toml::table& table);
    /// The `scope` of a route, or of what stands for several.
    ScopeSource scope(const toml::table& of);

private:
    ScopeSource scope_table(const toml::table& table);
};

} // namespace claviger
