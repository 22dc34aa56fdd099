// SPDX-License-Identifier: Apache-2.0
#include "cli/operator_messages.h"

#include <boost/json/value.hpp>

#include "base/strict_json.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr StrictJsonLimits limits{.max_depth = 3, .max_members = 32};

std::unexpected<Error> malformed() {
    return fail(ErrorCode::invalid_request, "the message is not one of the control socket");
}

} // namespace

std::string encode(const OperatorRequest& request) {
    std::string out = R"({"command":)";
    append_json_string(out, request.command);
    out += R"(,"arguments":{)";
    for (const auto& [name, value] : request.arguments) {
        out += out.ends_with('{') ? "" : ",";
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
    }
    return out + "}}\n";
}

std::string encode(const OperatorAnswer& answer) {
    std::string out = answer.ok ? R"({"ok":true,"lines":[)" : R"({"ok":false,"lines":[)";
    for (const std::string& line : answer.lines) {
        out += out.ends_with('[') ? "" : ",";
        append_json_string(out, line);
    }
    return out + "]}\n";
}

Result<OperatorRequest> decode_request(std::string_view line) {
    const boost::json::value value = TRY(parse_strict_json(line, limits));
    const auto* object = value.if_object();
    const auto* command = object == nullptr ? nullptr : object->if_contains("command");
    const auto* arguments = object == nullptr ? nullptr : object->if_contains("arguments");
    if (command == nullptr || !command->is_string() || arguments == nullptr ||
        !arguments->is_object()) {
        return malformed();
    }
    OperatorRequest request{std::string_view(command->get_string())};
    for (const auto& [name, argument] : arguments->get_object()) {
        if (!argument.is_string()) {
            return malformed();
        }
        request.arguments[std::string(name)] = std::string(argument.get_string());
    }
    return request;
}

Result<OperatorAnswer> decode_answer(std::string_view line) {
    const boost::json::value value = TRY(parse_strict_json(line, limits));
    const auto* object = value.if_object();
    const auto* ok = object == nullptr ? nullptr : object->if_contains("ok");
    const auto* lines = object == nullptr ? nullptr : object->if_contains("lines");
    if (ok == nullptr || !ok->is_bool() || lines == nullptr || !lines->is_array()) {
        return malformed();
    }
    OperatorAnswer answer;
    answer.ok = ok->get_bool();
    for (const auto& element : lines->get_array()) {
        if (!element.is_string()) {
            return malformed();
        }
        answer.lines.emplace_back(std::string_view(element.get_string()));
    }
    return answer;
}

} // namespace claviger
