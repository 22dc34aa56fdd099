// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_commands.h"

#include <algorithm>
#include <ostream>

#include "access/scope_type.h"
#include "api/request_target.h"
#include "cli/route_map_file.h"

namespace claviger {
namespace {

/// "https://app.example.com/path?query", or its path and query alone.
struct Address {
    std::string host; // empty: not said
    std::string target;
};

Address read_address(const std::string& text) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string::npos) {
        return {"", text};
    }
    const std::size_t begin = scheme + 3;
    const std::size_t path = std::min(text.find('/', begin), text.size());
    return {host_name_of(std::string_view(text).substr(begin, path - begin)),
            path == text.size() ? "/" : text.substr(path)};
}

const ProtectedApi* find_api(const RouteMap& map, const Address& address) {
    if (!address.host.empty()) {
        return map.find_api(address.host);
    }
    return map.apis().size() == 1 ? &map.apis().front() : nullptr;
}

std::string_view part_named(ScopeFrom from) {
    switch (from) {
    case ScopeFrom::path:
        return "path";
    case ScopeFrom::query:
        return "query";
    case ScopeFrom::header:
        return "header";
    default:
        return "JSON body";
    }
}

std::string place_of(const ScopeSource& source) {
    const std::string node = "at the " + std::string(name_of(source.type));
    switch (source.from) {
    case ScopeFrom::tenant:
        return "at the tenant";
    case ScopeFrom::anywhere:
        return "anywhere";
    case ScopeFrom::fixed:
        return node + (source.is_named ? " named " : " ") + source.name;
    default:
        return node + (source.is_named ? " that is named in the " : " in the ") +
               std::string(part_named(source.from)) + " as " + source.name;
    }
}

std::string need_of(const MappedRoute& route) {
    switch (route.passed_by) {
    case PassedBy::anyone:
        return "nothing: anyone passes, without a token";
    case PassedBy::authenticated:
        return "a valid token";
    case PassedBy::permitted:
        break;
    }
    return text_of(route.permission) + " " + place_of(route.scope);
}

std::size_t route_count(const RouteMap& map) {
    std::size_t count = 0;
    for (const ProtectedApi& api : map.apis()) {
        count += api.routes.size();
    }
    return count;
}

ExitCode test_route(const RouteMap& map, const std::string& method, const std::string& url,
                    const std::string& file, const OutputStreams& streams) {
    const Address address = read_address(url);
    if (!address.target.starts_with('/')) {
        print_error(streams, "write the whole address, such as https://app.example.com/path, or "
                             "its path");
        return ExitCode::usage;
    }
    const ProtectedApi* api = find_api(map, address);
    if (api == nullptr) {
        print_error(streams, address.host.empty()
                                 ? "the map has several APIs; give the whole address, such as "
                                   "https://app.example.com/path"
                                 : "refused: no API of the map has the host " + address.host);
        return ExitCode::failed;
    }
    const auto target = read_target(address.target);
    if (!target) {
        print_error(
            streams,
            "refused: the path is not canonical (no empty, . or .. segment, needless escape or "
            "end with a slash)");
        return ExitCode::failed;
    }
    const auto found = match(*api, method, target->path);
    streams.out << "api    " << api->name << " (" << file << ":" << api->line << ")\n";
    if (!found) {
        const bool passes = api->unmapped == Unmapped::allowed && !has_path(*api, target->path);
        streams.out << "route  none\n"
                    << (passes ? "needs  nothing: what is not mapped is allowed here\n"
                               : "needs  refused: the map does not name this request\n");
        return passes ? ExitCode::ok : ExitCode::failed;
    }
    streams.out << "route  " << found->route->path << " (" << file << ":" << found->route->line
                << ")\n";
    for (const auto& [name, value] : found->parameters) {
        streams.out << "       " << name << " = " << value << '\n';
    }
    streams.out << "needs  " << need_of(*found->route) << '\n';
    return ExitCode::ok;
}

} // namespace

ExitCode run_route_map_command(const std::string& command,
                               const std::map<std::string, std::string, std::less<>>& arguments,
                               const OutputStreams& streams) {
    const std::string& file = arguments.at("file");
    const auto map = read_route_map(file);
    if (!map) {
        for (const std::string& problem : map.error()) {
            print_error(streams, problem);
        }
        return ExitCode::usage;
    }
    if (command == "routes check") {
        streams.out << "The route map is good: APIs " << map->apis().size() << ", routes "
                    << route_count(*map) << ".\n";
        if (!map->are_gateways_local()) {
            streams.out << "Some of its gateways are on other machines: the server will want "
                           "gateway-secret.\n";
        }
        return ExitCode::ok;
    }
    return test_route(*map, arguments.at("method"), arguments.at("url"), file, streams);
}

} // namespace claviger
