// SPDX-License-Identifier: Apache-2.0
#include "api/parameters.h"

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t most_pairs = 64;

Result<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            out += plus_is_space && text.front() == '+' ? ' ' : text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto byte = decode_hex(text.substr(1, 2));
        if (!byte || byte->size() != 1) {
            return fail(ErrorCode::invalid_request, "a percent escape is malformed");
        }
        out += static_cast<char>(byte->front());
        text.remove_prefix(3);
    }
    if (!is_printable_utf8(out)) {
        return fail(ErrorCode::invalid_request,
                    "a parameter is not UTF-8 text without control characters");
    }
    return out;
}

} // namespace

Result<std::string> decode_segment(std::string_view segment) {
    return decode(segment, false);
}

Result<std::string> decode_form_text(std::string_view text) {
    return decode(text, true);
}

Result<Parameters> parse_parameters(std::string_view text) {
    Parameters parameters;
    if (!text.empty()) {
        parameters.reserve(8);
    }
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        if (pair.empty()) {
            continue;
        }
        if (parameters.size() >= most_pairs) {
            return fail(ErrorCode::invalid_request, "more than 64 parameters");
        }
        const std::size_t equals = pair.find('=');
        const bool has_value = equals != std::string_view::npos;
        std::string name = TRY(decode(pair.substr(0, equals), true));
        std::string value =
            TRY(decode(has_value ? pair.substr(equals + 1) : std::string_view(), true));
        parameters.emplace_back(std::move(name), std::move(value));
    }
    return parameters;
}

} // namespace claviger
