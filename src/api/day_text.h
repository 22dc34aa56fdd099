// SPDX-License-Identifier: Apache-2.0
// Days and numbers of days as requests and answers about usage spell them.
#pragma once

#include <string>
#include <string_view>

#include "api/codec.h"
#include "base/day.h"

namespace claviger {

/// "2026-11-24", of UTC.
struct DayText {
    Day value;
    static Result<DayText> decode(std::string_view text) {
        const auto day = parse_day(text);
        return day ? Result<DayText>(DayText{*day})
                   : fail(ErrorCode::invalid_request, "must be a day such as 2026-11-24");
    }
    std::string wire() const { return format_day(value); }
    static json::object schema() { return {{"type", "string"}, {"format", "date"}}; }
};

} // namespace claviger
