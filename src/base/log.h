// SPDX-License-Identifier: Apache-2.0
// The log: one JSON object a line on standard error. Values are escaped, so nobody can forge a
// line. Never pass a secret, a password or a token.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace claviger {

enum class LogLevel { debug, info, warning, error };

std::string_view name_of(LogLevel level);

struct LogField {
    std::string_view name;
    std::variant<std::string_view, std::int64_t> value;
};

class Log {
public:
    virtual ~Log() = default;
    virtual bool enabled(LogLevel level) const = 0;
    virtual void write(LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields = {}) = 0;
};

/// For tests, and for commands that print their own errors.
class NullLog final : public Log {
public:
    bool enabled(LogLevel) const override { return false; }
    void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

/// Writes JSON lines with spdlog: `time`, `level`, `message`, then the fields.
class JsonLog final : public Log {
public:
    explicit JsonLog(LogLevel least);
    bool enabled(LogLevel level) const override { return level >= least_; }
    void write(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields = {}) override;

private:
    LogLevel least_;
};

} // namespace claviger
