// SPDX-License-Identifier: Apache-2.0
#include "api/input.h"

#include <algorithm>

#include "base/strict_json.h"

namespace claviger {
namespace {

constexpr std::size_t deepest_json = 16;

/// The media type without its parameters, as it is spelled.
std::string_view media_type(const std::optional<std::string>& content_type) {
    const std::string_view text = content_type ? std::string_view(*content_type) : "";
    std::string_view type = text.substr(0, text.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t')) {
        type.remove_suffix(1);
    }
    return type;
}

Result<json::value> read_json(std::string_view body, std::size_t max_members,
                              const json::storage_ptr& memory) {
    if (body.empty()) {
        return json::value(json::object_kind, memory);
    }
    const StrictJsonLimits limits{deepest_json, max_members, true};
    json::value value = TRY(parse_strict_json(body, limits, memory));
    if (const json::string* inner = value.if_string()) {
        // A known client encodes its bodies twice.
        const std::string text(*inner);
        value = TRY(parse_strict_json(text, limits, memory));
    }
    return value;
}

/// A form as an object of strings; an empty value counts as left out (RFC 6749 3.2).
Result<json::value> read_form(std::string_view body, const json::storage_ptr& memory) {
    const Parameters parameters = TRY(parse_parameters(body));
    json::object object(memory);
    for (const auto& [name, value] : parameters) {
        if (find_member(object, name) != nullptr) {
            return fail(ErrorCode::invalid_request, "a parameter is repeated");
        }
        object[name] = value;
    }
    for (auto at = object.begin(); at != object.end();) {
        at = at->value().as_string().empty() ? object.erase(at) : std::next(at);
    }
    return json::value(std::move(object));
}

} // namespace

Result<json::value> read_body(const HttpRequest& request, BodyForm form, std::size_t max_members,
                              const json::storage_ptr& memory) {
    const std::string_view type = media_type(request.content_type);
    const bool is_form = ascii_iequal(type, "application/x-www-form-urlencoded");
    const bool is_json = ascii_iequal(type, "application/json") || type.empty();
    switch (form) {
    case BodyForm::none:
        return json::value(json::object_kind, memory);
    case BodyForm::form:
        // An empty body of any type is an empty form.
        if (!is_form && !request.body.empty()) {
            return fail(ErrorCode::invalid_request,
                        "the body must be application/x-www-form-urlencoded");
        }
        return read_form(request.body, memory);
    case BodyForm::json_or_form:
        if (is_form) {
            return read_form(request.body, memory);
        }
        [[fallthrough]];
    case BodyForm::json:
        break;
    }
    if (!is_json) {
        return fail(ErrorCode::unsupported_media_type, "the body must be application/json");
    }
    return read_json(request.body, max_members, memory);
}

std::vector<std::string_view> query_values(const Parameters& query, std::string_view name) {
    std::vector<std::string_view> values;
    for (const auto& [parameter, value] : query) {
        if (parameter == name) {
            values.emplace_back(value);
        }
    }
    return values;
}

std::vector<std::string> split_list(std::span<const std::string_view> values) {
    std::vector<std::string> list;
    for (std::string_view value : values) {
        while (!value.empty()) {
            const std::string_view element = value.substr(0, value.find(','));
            if (!element.empty()) {
                list.emplace_back(element);
            }
            value.remove_prefix(std::min(element.size() + 1, value.size()));
        }
    }
    return list;
}

} // namespace claviger
