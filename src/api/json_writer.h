// SPDX-License-Identifier: Apache-2.0
// Appends JSON to a string: no tree is built, so a list of a million rows costs its text only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"

namespace claviger {

class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }
    void name(std::string_view name) {
        separate();
        append_json_string(out_, name);
        out_ += ':';
        first_ = true;
    }
    /// As name(), with `"name":` made beforehand.
    void begin_member(std::string_view start) {
        separate();
        out_ += start;
        first_ = true;
    }
    void value(std::string_view text) {
        separate();
        append_json_string(out_, text);
    }
    void value(std::int64_t number) {
        separate();
        out_ += std::to_string(number);
    }
    void value(bool truth) { raw(truth ? "true" : "false"); }
    void null() { raw("null"); }
    /// Text that is JSON already.
    void raw(std::string_view json) {
        separate();
        out_ += json;
    }

private:
    void separate() {
        if (!first_) {
            out_ += ',';
        }
        first_ = false;
    }
    void open(char bracket) {
        separate();
        out_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        out_ += bracket;
        first_ = false;
    }

    std::string& out_;
    bool first_ = true;
};

} // namespace claviger
