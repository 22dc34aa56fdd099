// SPDX-License-Identifier: Apache-2.0
#include "api/openapi.h"

#include <algorithm>

#include "base/text.h"

namespace claviger {
namespace {

bool in_path(std::string_view path, std::string_view name) {
    return path.find("{" + std::string(name) + "}") != std::string_view::npos;
}

const char* name_of(EvaluatedAt place) {
    switch (place) {
    case EvaluatedAt::tenant:
        return "tenant";
    case EvaluatedAt::anywhere:
        return "anywhere";
    case EvaluatedAt::request:
        return "request";
    }
    return "";
}

/// What is refused before its path is known, as one that is not canonical, is a problem everywhere.
json::object error_reference(const Operation& operation, bool before_routing) {
    json::object problem{{"$ref", "#/components/schemas/Error"}};
    const json::object oauth{{"$ref", "#/components/schemas/OAuth2Error"}};
    if (operation.errors == ErrorStyle::problem) {
        return problem;
    }
    return before_routing ? json::object{{"anyOf", json::array{oauth, problem}}} : oauth;
}

json::object response(std::string_view description, std::string_view type, json::object schema) {
    json::object media;
    media["schema"] = std::move(schema);
    json::object content;
    content[type] = std::move(media);
    return {{"description", description}, {"content", std::move(content)}};
}

bool holds(const json::array& names, std::string_view name) {
    return std::ranges::any_of(names,
                               [&](const json::value& one) { return one.as_string() == name; });
}

json::array parameters_of(const Operation& operation, const json::object& schema, bool reads_body) {
    json::array parameters;
    const json::value* required = schema.if_contains("required");
    for (const auto& property : schema.at("properties").as_object()) {
        const bool path = in_path(operation.path, property.key());
        if (!path && reads_body) {
            continue;
        }
        const bool needed =
            path || (required != nullptr && holds(required->as_array(), property.key()));
        json::object parameter{{"name", property.key()},
                               {"in", path ? "path" : "query"},
                               {"required", needed},
                               {"schema", property.value()}};
        if (property.value().as_object().contains("items")) {
            parameter["style"] = "form";
            parameter["explode"] = false;
        }
        parameters.push_back(std::move(parameter));
    }
    return parameters;
}

/// The request's schema without what stands in the path. Null is as good as absent.
json::object body_schema(const Operation& operation, json::object schema) {
    json::object& properties = schema["properties"].as_object();
    for (auto at = properties.begin(); at != properties.end();) {
        at = in_path(operation.path, at->key()) ? properties.erase(at) : std::next(at);
    }
    const json::value* needed = schema.if_contains("required");
    for (auto& property : properties) {
        const bool is_required = needed != nullptr && holds(needed->as_array(), property.key());
        if (!is_required && !property.value().as_object().contains("$ref")) {
            json::object& described = property.value().as_object();
            described["nullable"] = true;
            if (json::value* choices = described.if_contains("enum")) {
                choices->as_array().push_back(nullptr);
            }
        }
    }
    if (json::value* required = schema.if_contains("required")) {
        json::array kept;
        for (const json::value& name : required->as_array()) {
            if (!in_path(operation.path, std::string_view(name.as_string()))) {
                kept.push_back(name);
            }
        }
        kept.empty() ? void(schema.erase("required")) : void(*required = std::move(kept));
    }
    return schema;
}

json::object request_body(const Operation& operation, const json::object& schema) {
    json::object content;
    const bool form = operation.body == BodyForm::form || operation.body == BodyForm::json_or_form;
    if (operation.body != BodyForm::form) {
        content["application/json"] = {{"schema", schema}};
    }
    if (form) {
        content["application/x-www-form-urlencoded"] = {{"schema", schema}};
    }
    return {{"content", std::move(content)}};
}

json::object responses_of(const Operation& operation, bool has_body, json::object schema) {
    json::object responses;
    const std::string success = std::to_string(operation.success);
    if (has_body) {
        responses[success] = response("Done", operation.response_type, std::move(schema));
        if (!operation.events_type.empty()) {
            responses[success].as_object()["content"].as_object()[operation.events_type] = {
                {"schema", {{"type", "string"}}}};
        }
    } else {
        responses[success] = {{"description", "Done; the body is empty"}};
    }
    const auto refuse = [&](const char* status, std::string_view description) {
        responses[status] =
            response(description, "application/json", error_reference(operation, false));
    };
    const bool has_parameters = operation.path.find('{') != std::string_view::npos;
    responses["400"] = response("The request is malformed, or the credentials are wrong",
                                "application/json", error_reference(operation, has_parameters));
    const bool open = !operation.access.needs_token();
    if (!open || operation.errors != ErrorStyle::problem) {
        refuse("401", open ? "Client authentication failed" : "A valid bearer token is needed");
    }
    refuse("403", "Not permitted; the details name the missing permission and the scope");
    refuse("404", "There is no such object, path or tenant");
    if (method_has_body(operation.method) || operation.method == HttpMethod::remove) {
        refuse("409", "The object exists, or its state forbids this");
        refuse("413", "The body is too large");
        refuse("415", "The body is of a kind that is not read here");
    }
    if (operation.may_be_gone) {
        refuse("410", "What is asked for is kept no longer; the message says where to begin anew");
    }
    if (has_parameters || !method_has_body(operation.method)) {
        responses["414"] = response("The request target is too long", "application/json",
                                    {{"$ref", "#/components/schemas/Error"}});
    }
    refuse("429", "Too many failed sign-ins; wait as Retry-After says");
    refuse("500", "Something went wrong");
    refuse("503", "Try again later, as Retry-After says");
    return responses;
}

json::object operation_object(const Route& route, Schemas& schemas) {
    const Operation& operation = route.operation;
    const json::object schema = route.request_schema(schemas);
    json::object object{{"operationId", operation.id},
                        {"summary", operation.summary},
                        {"tags", json::array{operation.tag}}};
    if (operation.deprecated) {
        object["deprecated"] = true;
    }
    if (operation.access.needs_token()) {
        json::array ways{json::object{{"bearer", json::array{}}}};
        if (operation.access.takes_basic()) {
            ways.push_back(json::object{{"basic", json::array{}}});
        }
        object["security"] = std::move(ways);
    } else {
        object["security"] = json::array{};
    }
    if (operation.access.needs_permission()) {
        object["x-permission"] = std::string(operation.access.resource_type()) + ":" +
                                 std::string(name_of(operation.access.action()));
        object["x-evaluated-at"] = name_of(operation.access.at());
    }
    json::array parameters = parameters_of(operation, schema, route.reads_body);
    if (!parameters.empty()) {
        object["parameters"] = std::move(parameters);
    }
    if (!route.whole_body.empty()) {
        object["requestBody"] =
            request_body(operation, schema.at("properties").at(route.whole_body).as_object());
        object["requestBody"].as_object()["required"] = true;
    } else if (route.reads_body) {
        json::object fields = body_schema(operation, schema);
        if (!fields.at("properties").as_object().empty()) {
            object["requestBody"] = request_body(operation, fields);
        }
    }
    object["responses"] =
        responses_of(operation, route.has_response_body, route.response_schema(schemas));
    return object;
}

void add_error_schemas(Schemas& schemas) {
    const json::object text{{"type", "string"}};
    schemas["Error"] = {{"type", "object"},
                        {"properties", json::object{{"code", json::object{{"type", "integer"}}},
                                                    {"message", text},
                                                    {"details", text}}},
                        {"required", json::array{"code", "message"}}};
    schemas["OAuth2Error"] = {
        {"type", "object"},
        {"properties", json::object{{"error", text}, {"error_description", text}}},
        {"required", json::array{"error"}}};
}

void append_indented(std::string& out, const json::value& value, std::size_t depth) {
    const std::string indent((depth + 1) * 2, ' ');
    const std::string closing(depth * 2, ' ');
    bool first = true;
    if (value.is_object() && !value.as_object().empty()) {
        for (const auto& member : value.as_object()) {
            out += first ? "{\n" : ",\n";
            out += indent + json::serialize(json::value(member.key())) + ": ";
            append_indented(out, member.value(), depth + 1);
            first = false;
        }
        out += "\n" + closing + "}";
    } else if (value.is_array() && !value.as_array().empty()) {
        for (const json::value& element : value.as_array()) {
            out += (first ? "[\n" : ",\n") + indent;
            append_indented(out, element, depth + 1);
            first = false;
        }
        out += "\n" + closing + "]";
    } else {
        out += json::serialize(value);
    }
}

} // namespace

std::string openapi_document(const Routes& routes, std::string_view version) {
    Schemas schemas;
    add_error_schemas(schemas);
    json::object paths;
    for (const Route& route : routes) {
        const std::string method = ascii_lower(name_of(route.operation.method));
        json::value& path = paths[route.operation.path];
        if (!path.is_object()) {
            path = json::object{};
        }
        path.as_object()[method] = operation_object(route, schemas);
    }
    json::object components;
    for (auto& [name, schema] : schemas) {
        components[name] = std::move(schema);
    }
    const json::object bearer{{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}};
    const json::object basic{{"type", "http"}, {"scheme", "basic"}};
    const json::value document = {
        {"openapi", "3.0.3"},
        {"info",
         {{"title", "Claviger"},
          {"version", version},
          {"description", "Access keys become bearer tokens, access rules are enforced. "
                          "Compatible with the authentication and access-control API of Run:ai; "
                          "not affiliated with NVIDIA."},
          {"license", {{"name", "Apache-2.0"}}}}},
        {"paths", std::move(paths)},
        {"components",
         {{"securitySchemes", {{"bearer", bearer}, {"basic", basic}}},
          {"schemas", std::move(components)}}}};
    std::string text;
    append_indented(text, document, 0);
    text += "\n";
    return text;
}

} // namespace claviger
