// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <array>
#include <memory>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/text.h"

namespace claviger {
namespace {

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "claviger", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
    line += ',';
    append_json_string(line, name);
    line += ':';
    append_json_string(line, value);
}

} // namespace

std::string_view name_of(LogLevel level) {
    static constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
    return names[static_cast<std::size_t>(level)];
}

JsonLog::JsonLog(LogLevel least) : least_(least) {}

void JsonLog::write(LogLevel level, std::string_view message,
                    std::initializer_list<LogField> fields) {
    if (!enabled(level)) {
        return;
    }
    std::string line = "{\"time\":";
    append_json_string(line, format_rfc3339(SystemClock{}.now()));
    append_field(line, "level", name_of(level));
    append_field(line, "message", message);
    for (const LogField& field : fields) {
        if (const auto* text = std::get_if<std::string_view>(&field.value)) {
            append_field(line, field.name, *text);
        } else {
            line += ',';
            append_json_string(line, field.name);
            line += ':';
            line += std::to_string(std::get<std::int64_t>(field.value));
        }
    }
    line += '}';
    logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

} // namespace claviger
