// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_openapi.h"

#include <array>
#include <optional>
#include <set>

#include <boost/json/parse.hpp>

namespace claviger {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_document = 16 << 20; // bytes
constexpr std::string_view extension = "x-claviger";

struct MethodName {
    std::string_view key;    // in the document
    std::string_view name;   // in a route
    std::string_view action; // of the permission that a tag gives
};
constexpr std::array<MethodName, 7> method_names{{{"get", "GET", "read"},
                                                  {"head", "HEAD", "read"},
                                                  {"post", "POST", "create"},
                                                  {"put", "PUT", "update"},
                                                  {"patch", "PATCH", "update"},
                                                  {"delete", "DELETE", "delete"},
                                                  {"options", "OPTIONS", "read"}}};

std::optional<json::object> read_document(const std::filesystem::path& file) {
    const auto text = read_map_text(file, longest_document);
    boost::system::error_code error;
    json::value document = text ? json::parse(*text, error) : json::value();
    return !error && document.is_object() ? std::optional(std::move(document.get_object()))
                                          : std::nullopt;
}

/// The extension's members as those of a route: texts, lists of texts and tables of texts.
std::optional<toml::table> as_table(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return std::nullopt;
    }
    toml::table table;
    for (const auto& [key, member] : *object) {
        if (const json::string* text = member.if_string()) {
            table.insert(std::string_view(key), std::string(*text));
        } else if (auto inner = as_table(member)) {
            table.insert(std::string_view(key), *std::move(inner));
        } else {
            return std::nullopt;
        }
    }
    return table;
}

/// Reads one document; complaints stand at the line of the map that names it.
class Document {
public:
    Document(RouteMapReader& reader, const toml::table& table, std::string name)
        : reader_(reader), at_(*table.get("openapi")), name_(std::move(name)),
          base_(reader.text(table, "base_path", false)), tags_(table.get_as<toml::table>("tags")) {
        if (table.get("tags") != nullptr && tags_ == nullptr) {
            reader_.complain(*table.get("tags"), "tags must be a table, [api.tags.NAME] for each");
        }
    }

    void read(const json::object& document, ProtectedApi& api) {
        const json::value* paths = document.if_contains("paths");
        if (paths == nullptr || !paths->is_object()) {
            reader_.complain(at_, name_ + " has no paths: it is no OpenAPI document");
            return;
        }
        const std::size_t before = api.routes.size();
        for (const auto& [path, operations] : paths->get_object()) {
            for (const MethodName& method : method_names) {
                const json::value* operation = operations.is_object()
                                                   ? operations.get_object().if_contains(method.key)
                                                   : nullptr;
                if (operation != nullptr && operation->is_object()) {
                    read_operation(std::string(path), method, operation->get_object(), api);
                }
            }
        }
        complain_of_unused_tags();
        if (api.routes.size() == before) {
            reader_.complain(at_, name_ + " maps nothing: no operation has x-claviger or a tag of "
                                          "[api.tags]");
        }
    }

private:
    void read_operation(const std::string& path, const MethodName& method,
                        const json::object& operation, ProtectedApi& api) {
        const json::value* said = operation.if_contains(extension);
        auto table = said != nullptr ? as_table(*said) : by_tag(operation, method);
        if (!table) {
            if (said != nullptr) {
                complain(path, method, "x-claviger must be an object of texts and objects");
            }
            return;
        }
        table->insert("methods", toml::array{std::string(method.name)});
        table->insert("path", base_ + path);
        RouteMapReader part;
        MappedRoute route = part.route(*table);
        for (const MapProblem& problem : part.problems) {
            complain(path, method, problem.text);
        }
        route.line = line_of(at_);
        api.routes.push_back(std::move(route));
    }

    /// [api.tags.NAME] says the resource type and the scope of all operations with the tag.
    std::optional<toml::table> by_tag(const json::object& operation, const MethodName& method) {
        const json::value* names = operation.if_contains("tags");
        if (tags_ == nullptr || names == nullptr || !names->is_array()) {
            return std::nullopt;
        }
        for (const json::value& name : names->get_array()) {
            const toml::table* tag =
                name.is_string() ? tags_->get_as<toml::table>(std::string_view(name.get_string()))
                                 : nullptr;
            if (tag == nullptr) {
                continue;
            }
            used_tags_.insert(std::string(name.get_string()));
            reader_.check_members(*tag, {"resource_type", "scope"});
            toml::table table;
            table.insert("permission", reader_.text(*tag, "resource_type", true) + ":" +
                                           std::string(method.action));
            if (const toml::node* scope = tag->get("scope")) {
                table.insert("scope", *scope);
            }
            return table;
        }
        return std::nullopt;
    }

    /// A misspelled one would leave its operations unmapped.
    void complain_of_unused_tags() {
        if (tags_ == nullptr) {
            return;
        }
        for (const auto& [tag, value] : *tags_) {
            if (!used_tags_.contains(std::string(tag.str()))) {
                reader_.complain(value, "no operation of " + name_ + " needs the tag " +
                                            std::string(tag.str()));
            }
        }
    }

    void complain(const std::string& path, const MethodName& method, const std::string& text) {
        reader_.complain(at_, name_ + ": " + std::string(method.name) + " " + path + ": " + text);
    }

    RouteMapReader& reader_;
    const toml::node& at_;
    std::string name_;
    std::string base_;
    const toml::table* tags_ = nullptr;
    std::set<std::string, std::less<>> used_tags_;
};

} // namespace

void read_openapi_routes(RouteMapReader& reader, const toml::table& table,
                         const std::filesystem::path& folder, ProtectedApi& api) {
    const std::string name = reader.text(table, "openapi", true);
    Document routes(reader, table, name);
    const auto document = read_document(folder / name);
    if (!document) {
        reader.complain(*table.get("openapi"),
                        name + " cannot be read as JSON of at most 16 MiB; a document in YAML is "
                               "to be converted first");
        return;
    }
    routes.read(*document, api);
}

} // namespace claviger
