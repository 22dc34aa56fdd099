// SPDX-License-Identifier: Apache-2.0
// A request's fields from where they may stand: the path, the query (GET, DELETE) or the body
// (POST, PUT, PATCH), decoded into the handler's request type. A body is an object, whose members
// are fields, unless one field is the WholeBody. The contract's quirks live here:
// member names ignore ASCII case, a JSON string may hold the JSON, lists come in three spellings.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "api/http.h"
#include "api/parameters.h"
#include "base/secret.h"

namespace claviger {

/// Requests may be decoded into views of it.
struct Input {
    Input() = default;
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    /// So that bodies of usual size need no other memory. They may hold a secret.
    struct Bytes {
        ~Bytes() { wipe(all); }
        std::array<std::uint8_t, 2048> all;
    };
    Bytes bytes; // dies after all that lies in it
    json::monotonic_resource memory{bytes.all.data(), bytes.all.size()};

    /// By the names in the template.
    boost::container::small_vector<std::pair<std::string_view, std::string>, 2> path;
    Parameters query;
    json::value body = json::value(json::object_kind, &memory);
    bool has_body = false; // the route reads its fields from the body
};

/// Which forms of body a route reads.
enum class BodyForm : std::uint8_t { none, json, form, json_or_form };

/// An empty body is an empty object.
Result<json::value> read_body(const HttpRequest& request, BodyForm form, std::size_t max_members,
                              const json::storage_ptr& memory);

/// The values of a query parameter, in order; names match exactly.
std::vector<std::string_view> query_values(const Parameters& query, std::string_view name);

/// Splits lists at commas: "a,b" and "a" "b" are the same list.
std::vector<std::string> split_list(std::span<const std::string_view> values);

/// Types that can stand in a path or a query.
template <class T>
concept TextField = std::is_same_v<T, FilterText> || std::is_same_v<T, std::vector<std::string>> ||
                    std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
                    std::is_integral_v<T> || std::is_same_v<T, Uuid> || WireText<T>;

template <TextField T>
Result<T> decode_text(std::span<const std::string_view> values, std::string_view at) {
    const std::string_view first = values.front();
    if constexpr (std::is_same_v<T, FilterText>) {
        return FilterText{{values.begin(), values.end()}};
    } else if constexpr (IsVector<T>::value) {
        return split_list(values);
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
        return T(first);
    } else if constexpr (std::is_same_v<T, bool>) {
        if (ascii_iequal(first, "true") || ascii_iequal(first, "false")) {
            return ascii_iequal(first, "true");
        }
        return wrong_type(at, "true or false");
    } else if constexpr (std::is_integral_v<T>) {
        const auto number = parse_integer<T>(first);
        return number ? Result<T>(*number) : wrong_type(at, "an integer");
    } else if constexpr (std::is_same_v<T, Uuid>) {
        const auto id = Uuid::parse(first);
        return id ? Result<T>(*id) : wrong_type(at, "a UUID");
    } else {
        auto decoded = T::decode(first);
        if (!decoded) {
            return fail(decoded.error().code(), std::string(at) + ": " + decoded.error().detail());
        }
        return decoded;
    }
}

/// One member of a request type, from wherever the route says that it stands.
template <class Field>
Result<std::optional<Field>> take_field(const Input& input, std::string_view name) {
    for (const auto& [path_name, text] : input.path) {
        if (path_name == name) {
            if constexpr (TextField<Field>) {
                const std::string_view value = text;
                auto decoded = TRY(decode_text<Field>({&value, 1}, name));
                return std::optional<Field>(std::move(decoded));
            }
        }
    }
    if (input.has_body) {
        if constexpr (!std::is_same_v<Field, FilterText>) {
            const json::object* body = input.body.if_object();
            const json::value* value = body == nullptr ? nullptr : find_member(*body, name);
            if (value == nullptr || value->is_null()) {
                return std::optional<Field>();
            }
            auto decoded = TRY(decode<Field>(*value, name));
            return std::optional<Field>(std::move(decoded));
        }
    }
    const auto values = query_values(input.query, name);
    if (values.empty()) {
        return std::optional<Field>();
    }
    if constexpr (TextField<Field>) {
        auto decoded = TRY(decode_text<Field>(values, name));
        return std::optional<Field>(std::move(decoded));
    } else {
        return std::optional<Field>();
    }
}

template <class Field, bool optional>
Result<void> fill_field(const Input& input, std::string_view name, auto& field) {
    if constexpr (IsWholeBody<Field>::value) {
        field.value = TRY(decode<decltype(field.value)>(input.body, "the body"));
    } else {
        auto taken = TRY(take_field<Field>(input, name));
        if constexpr (optional) {
            field = std::move(taken);
        } else if (taken) {
            field = *std::move(taken);
        } else {
            return fail(ErrorCode::invalid_request,
                        "Required parameter is missing: " + std::string(name));
        }
    }
    return {};
}

/// The field that is the whole body; empty when the body's members are the fields.
template <class Request>
constexpr std::string_view whole_body_field() {
    std::string_view found;
    for_each_member<Request>([&](auto member) {
        using Field = std::remove_cvref_t<decltype(std::declval<Request>().*member.pointer)>;
        if (IsWholeBody<Field>::value) {
            found = wire_name<Request>(member);
        }
    });
    return found;
}

template <class Request>
Result<Request> decode_request(const Input& input) {
    if (whole_body_field<Request>().empty() && !input.body.is_object()) {
        return fail(ErrorCode::invalid_request, "the body must be a JSON object");
    }
    Request out{};
    Result<void> outcome;
    for_each_member<Request>([&](auto member) {
        using Field = std::remove_cvref_t<decltype(out.*member.pointer)>;
        if (!outcome) {
            return;
        }
        constexpr std::string_view name = wire_name<Request>(member);
        if constexpr (IsOptional<Field>::value) {
            outcome =
                fill_field<typename Field::value_type, true>(input, name, out.*member.pointer);
        } else {
            outcome = fill_field<Field, false>(input, name, out.*member.pointer);
        }
    });
    if (!outcome) {
        return std::unexpected(std::move(outcome).error());
    }
    return out;
}

} // namespace claviger
