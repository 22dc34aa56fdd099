// SPDX-License-Identifier: Apache-2.0
// The schemas of described structs, as OpenAPI writes them; see api/codec.h for what a struct may
// hold.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/codec.h"

namespace claviger {

/// The schemas of an OpenAPI document's components, by name.
using Schemas = std::map<std::string, json::object>;

/// The unqualified name of a type, as components call it.
std::string schema_name(std::string_view qualified_type_name);

template <class T>
json::object schema_of(Schemas& components);

template <class T>
json::object object_schema(Schemas& components) {
    json::object properties;
    json::array required;
    for_each_member<T>([&](auto member) {
        using Field = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
        const std::string_view name = wire_name<T>(member);
        if constexpr (IsOptional<Field>::value) {
            properties[name] = schema_of<typename Field::value_type>(components);
        } else {
            properties[name] = schema_of<Field>(components);
            required.emplace_back(name);
        }
    });
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) {
        schema["required"] = std::move(required);
    }
    return schema;
}

template <class T>
json::object schema_of(Schemas& components) {
    if constexpr (IsNullable<T>::value) {
        json::object schema = schema_of<decltype(*std::declval<T>().value)>(components);
        schema["nullable"] = true;
        return schema;
    } else if constexpr (IsWholeBody<T>::value) {
        return schema_of<decltype(T::value)>(components);
    } else if constexpr (std::is_reference_v<T>) {
        return schema_of<std::remove_cvref_t<T>>(components);
    } else if constexpr (std::is_same_v<T, FileBody>) {
        return {{"type", "string"}, {"format", "binary"}};
    } else if constexpr (std::is_same_v<T, RawJson>) {
        return json::object{};
    } else if constexpr (std::is_same_v<T, FilterText>) {
        return {{"type", "array"}, {"items", json::object{{"type", "string"}}}};
    } else if constexpr (std::is_same_v<T, bool>) {
        return {{"type", "boolean"}};
    } else if constexpr (std::is_integral_v<T>) {
        return {{"type", "integer"}, {"format", sizeof(T) == 8 ? "int64" : "int32"}};
    } else if constexpr (std::is_floating_point_v<T>) {
        return {{"type", "number"}, {"format", "double"}};
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return {{"type", "string"}, {"format", "date-time"}};
    } else if constexpr (std::is_same_v<T, Uuid>) {
        return {{"type", "string"}, {"format", "uuid"}};
    } else if constexpr (WireText<T>) {
        return T::schema();
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
        return {{"type", "string"}};
    } else if constexpr (IsVector<T>::value) {
        return {{"type", "array"}, {"items", schema_of<typename T::value_type>(components)}};
    } else if constexpr (IsMap<T>::value) {
        return {{"type", "object"},
                {"additionalProperties", schema_of<typename T::mapped_type>(components)}};
    } else {
        const std::string name = schema_name(boost::core::type_name<T>());
        if (!components.contains(name)) {
            components[name] = {}; // ends recursion
            components[name] = object_schema<T>(components);
        }
        return {{"$ref", "#/components/schemas/" + name}};
    }
}

} // namespace claviger
