// SPDX-License-Identifier: Apache-2.0
#include "api/schema.h"

#include <array>
#include <charconv>

namespace claviger {

std::string number_text(double number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return std::string(text.data(), end);
}

std::unexpected<Error> wrong_type(std::string_view at, std::string_view expected) {
    return fail(ErrorCode::invalid_request,
                std::string(at) + " has the wrong type; expected " + std::string(expected));
}

Result<std::string_view> decode_string(const json::value& value, std::string_view at) {
    const json::string* text = value.if_string();
    if (text == nullptr) {
        return wrong_type(at, "a string");
    }
    return std::string_view(text->data(), text->size());
}

Result<std::int64_t> decode_integer(const json::value& value, std::string_view at,
                                    std::int64_t least, std::int64_t most) {
    const std::int64_t* number = value.if_int64();
    if (number == nullptr) {
        return wrong_type(at, "an integer");
    }
    if (*number < least || *number > most) {
        return fail(ErrorCode::invalid_request, std::string(at) + " is out of range");
    }
    return *number;
}

Result<double> decode_number(const json::value& value, std::string_view at) {
    if (!value.is_number()) {
        return wrong_type(at, "a number");
    }
    return value.to_number<double>();
}

const json::value* find_member(const json::object& object, std::string_view name) {
    if (const json::value* exact = object.if_contains(name)) {
        return exact;
    }
    for (const auto& member : object) {
        if (ascii_iequal(member.key(), name)) {
            return &member.value();
        }
    }
    return nullptr;
}

std::string schema_name(std::string_view qualified_type_name) {
    const std::size_t colon = qualified_type_name.rfind(':');
    return std::string(colon == std::string_view::npos ? qualified_type_name
                                                       : qualified_type_name.substr(colon + 1));
}

} // namespace claviger
