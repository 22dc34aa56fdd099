// SPDX-License-Identifier: Apache-2.0
// Reads and writes described structs as JSON and prints their schema. Boost.Describe is the only
// reflection: a member `client_id` is "clientId" on the wire, unless the struct says
// `using WireNames = SnakeCase`.
//
//   std::optional<T>  may be absent or null, and is left out when empty
//   Nullable<T>       always there, null when empty (written only)
//   RawJson           any JSON value, kept as text
//   WholeBody<T>      of a request: not a member of the body, but all of it
#pragma once

#include <array>
#include <boost/core/type_name.hpp>
#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11.hpp>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_writer.h"
#include "base/error.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"

namespace claviger {

namespace json = boost::json;

struct SnakeCase {};
/// A struct that says `using UnknownMembers = Refused` takes no member that it does not know: where
/// one that is misspelt must not be lost.
struct Refused {};

template <class T>
struct Nullable {
    std::optional<T> value;
};

/// `filterBy` as sent: the values of every occurrence, not yet split (see api/filter.h).
struct FilterText {
    std::vector<std::string> values;
};

/// A body that is no JSON: a file for people and programs to keep.
struct FileBody {};

/// JSON text that has been read as valid JSON, or was made by JsonWriter.
struct RawJson {
    std::string text = "null";
};

/// A request's body that is no object: an array.
template <class T>
struct WholeBody {
    T value;
};

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_enum_v<T>;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsNullable : std::false_type {};
template <class T>
struct IsNullable<Nullable<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
template <class T>
struct IsWholeBody : std::false_type {};
template <class T>
struct IsWholeBody<WholeBody<T>> : std::true_type {};

/// Value types that decode themselves: static Result<T> decode(string_view), wire(), schema().
template <class T>
concept WireText = requires(const T& value, std::string_view text) {
    { T::decode(text) } -> std::same_as<Result<T>>;
    { value.wire() } -> std::convertible_to<std::string>;
    { T::schema() } -> std::same_as<json::object>;
};

/// Such types that a JSON integer may stand for as well.
template <class T>
concept WireNumber = WireText<T> && requires(std::int64_t number) {
    { T::decode(number) } -> std::same_as<Result<T>>;
};

/// A short text that is made at compile time.
template <std::size_t capacity>
struct FixedText {
    std::array<char, capacity> characters{};
    std::size_t size = 0;

    constexpr void add(char c) { characters[size++] = c; }
    constexpr std::string_view view() const { return {characters.data(), size}; }
};

/// A struct may spell members whose names on the wire are no identifiers, in `spelled(member)`.
template <class T, class Member>
consteval std::string_view spelling_of() {
    if constexpr (requires { T::spelled(std::string_view()); }) {
        return T::spelled(Member::name);
    } else {
        return Member::name;
    }
}

/// The beginning of a member in JSON: `"clientId":`.
template <class T, class Member>
consteval auto make_member_start() {
    constexpr std::string_view name = spelling_of<T, Member>();
    constexpr bool keeps_case = requires { typename T::WireNames; };
    if constexpr (keeps_case) {
        static_assert(std::is_same_v<typename T::WireNames, SnakeCase>);
    }
    FixedText<name.size() + 3> text;
    text.add('"');
    bool upper = false;
    for (const char c : name) {
        if (c == '_' && !keeps_case) {
            upper = true;
            continue;
        }
        text.add(upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
        upper = false;
    }
    text.add('"');
    text.add(':');
    return text;
}
template <class T, class Member>
inline constexpr auto member_start = make_member_start<T, Member>();

/// The name on the wire of a member of T as Boost.Describe describes it.
template <class T, class Member>
constexpr std::string_view wire_name(Member) {
    constexpr std::string_view start = member_start<T, Member>.view();
    return start.substr(1, start.size() - 3);
}

template <class T, class Visit>
void for_each_member(Visit visit) {
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
        visit);
}

/// The shortest text that reads back as this number.
std::string number_text(double number);

// --- writing ------------------------------------------------------------------------------------

template <class T>
void encode(JsonWriter& out, const T& value) {
    if constexpr (IsNullable<T>::value) {
        value.value ? encode(out, *value.value) : out.null();
    } else if constexpr (std::is_same_v<T, RawJson>) {
        out.raw(value.text);
    } else if constexpr (std::is_same_v<T, bool>) {
        out.value(value);
    } else if constexpr (std::is_integral_v<T>) {
        out.value(static_cast<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
        out.raw(number_text(value));
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
        out.value(std::string_view(value));
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        out.value(as_text(rfc3339_characters(value)));
    } else if constexpr (std::is_same_v<T, Uuid>) {
        out.value(as_text(value.characters()));
    } else if constexpr (WireText<T>) {
        out.value(std::string_view(value.wire()));
    } else if constexpr (IsVector<T>::value) {
        out.begin_array();
        for (const auto& element : value) {
            encode(out, element);
        }
        out.end_array();
    } else if constexpr (IsMap<T>::value) {
        out.begin_object();
        for (const auto& [name, element] : value) {
            out.name(name);
            encode(out, element);
        }
        out.end_object();
    } else {
        static_assert(Described<T>);
        out.begin_object();
        for_each_member<T>([&](auto member) {
            const auto& field = value.*member.pointer;
            if constexpr (IsOptional<std::remove_cvref_t<decltype(field)>>::value) {
                if (field) {
                    out.begin_member(member_start<T, decltype(member)>.view());
                    encode(out, *field);
                }
            } else {
                out.begin_member(member_start<T, decltype(member)>.view());
                encode(out, field);
            }
        });
        out.end_object();
    }
}

// --- reading ------------------------------------------------------------------------------------

/// "name has the wrong type; expected a string"
std::unexpected<Error> wrong_type(std::string_view at, std::string_view expected);
Result<std::string_view> decode_string(const json::value& value, std::string_view at);
Result<std::int64_t> decode_integer(const json::value& value, std::string_view at,
                                    std::int64_t least, std::int64_t most);
Result<double> decode_number(const json::value& value, std::string_view at);
/// The member of `object` with this name, ignoring ASCII case; null when absent.
const json::value* find_member(const json::object& object, std::string_view name);

template <class T>
Result<T> decode_object(const json::object& object);
template <class T>
Result<T> decode_map(const json::object& object);
template <class T>
Result<T> decode_array(const json::value& value, std::string_view at);

template <class T>
Result<T> decode(const json::value& value, std::string_view at) {
    if constexpr (std::is_same_v<T, RawJson>) {
        return RawJson{json::serialize(value)};
    } else if constexpr (std::is_same_v<T, std::string_view>) {
        return decode_string(value, at); // valid as long as `value`
    } else if constexpr (std::is_same_v<T, std::string>) {
        const std::string_view text = TRY(decode_string(value, at));
        return std::string(text);
    } else if constexpr (std::is_same_v<T, bool>) {
        const bool* truth = value.if_bool();
        return truth != nullptr ? Result<bool>(*truth) : wrong_type(at, "true or false");
    } else if constexpr (std::is_integral_v<T>) {
        const std::int64_t number = TRY(decode_integer(value, at, std::numeric_limits<T>::min(),
                                                       std::numeric_limits<T>::max()));
        return static_cast<T>(number);
    } else if constexpr (std::is_floating_point_v<T>) {
        return decode_number(value, at);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        const std::string_view text = TRY(decode_string(value, at));
        const auto time = parse_rfc3339(text);
        return time ? Result<Timestamp>(*time) : wrong_type(at, "an RFC 3339 time");
    } else if constexpr (std::is_same_v<T, Uuid>) {
        const std::string_view text = TRY(decode_string(value, at));
        const auto id = Uuid::parse(text);
        return id ? Result<Uuid>(*id) : wrong_type(at, "a UUID");
    } else if constexpr (WireText<T>) {
        if constexpr (WireNumber<T>) {
            if (const std::int64_t* number = value.if_int64()) {
                return T::decode(*number);
            }
        }
        const std::string_view text = TRY(decode_string(value, at));
        auto decoded = T::decode(text);
        if (!decoded) {
            return fail(decoded.error().code(), std::string(at) + ": " + decoded.error().detail());
        }
        return decoded;
    } else if constexpr (IsVector<T>::value) {
        return decode_array<T>(value, at);
    } else {
        const json::object* object = value.if_object();
        if (object == nullptr) {
            return wrong_type(at, "an object");
        }
        if constexpr (IsMap<T>::value) {
            return decode_map<T>(*object);
        } else {
            return decode_object<T>(*object);
        }
    }
}

template <class T>
Result<T> decode_array(const json::value& value, std::string_view at) {
    const json::array* array = value.if_array();
    if (array == nullptr) {
        return wrong_type(at, "an array");
    }
    T out;
    out.reserve(array->size());
    for (const json::value& element : *array) {
        auto decoded = TRY(decode<typename T::value_type>(element, at));
        out.push_back(std::move(decoded));
    }
    return out;
}

template <class T>
Result<T> decode_map(const json::object& object) {
    T out;
    for (const auto& member : object) {
        auto decoded = TRY(decode<typename T::mapped_type>(member.value(), member.key()));
        out.emplace(member.key(), std::move(decoded));
    }
    return out;
}

/// `invalid_request` when a member is not one of T's.
template <class T>
Result<void> check_members_known(const json::object& object) {
    for (const auto& member : object) {
        bool known = false;
        for_each_member<T>([&](auto described) {
            known = known || ascii_iequal(member.key(), wire_name<T>(described));
        });
        if (!known) {
            return fail(ErrorCode::invalid_request,
                        "there is no member " + std::string(member.key()));
        }
    }
    return {};
}

template <class T>
Result<T> decode_object(const json::object& object) {
    T out{};
    Result<void> outcome;
    if constexpr (requires { typename T::UnknownMembers; }) {
        outcome = check_members_known<T>(object);
    }
    for_each_member<T>([&](auto member) {
        using Field = std::remove_cvref_t<decltype(out.*member.pointer)>;
        if (!outcome) {
            return;
        }
        constexpr std::string_view name = wire_name<T>(member);
        const json::value* value = find_member(object, name);
        const bool absent = value == nullptr || (IsOptional<Field>::value && value->is_null());
        if (absent) {
            if constexpr (!IsOptional<Field>::value) {
                outcome = fail(ErrorCode::invalid_request,
                               "Required parameter is missing: " + std::string(name));
            }
            return;
        }
        if constexpr (IsOptional<Field>::value) {
            auto decoded = decode<typename Field::value_type>(*value, name);
            decoded ? void(out.*member.pointer = *std::move(decoded))
                    : void(outcome = std::unexpected(decoded.error()));
        } else {
            auto decoded = decode<Field>(*value, name);
            decoded ? void(out.*member.pointer = *std::move(decoded))
                    : void(outcome = std::unexpected(decoded.error()));
        }
    });
    if (!outcome) {
        return std::unexpected(std::move(outcome).error());
    }
    return out;
}

} // namespace claviger
