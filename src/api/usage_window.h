// SPDX-License-Identifier: Apache-2.0
// The last days, for answers that judge by what was used.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "api/context.h"
#include "auth/usage.h"
#include "base/day.h"

namespace claviger {

/// The time that is looked at, up to now.
struct UsageWindow {
    std::int32_t days = 0;
    Day first;
    Timestamp begin; // what was made later is not judged
};

/// 90 days unless it is said. Nothing is known of days whose rows have been removed:
/// `invalid_request`.
inline Result<UsageWindow> usage_window(const Context& context, std::optional<std::int32_t> days) {
    constexpr std::int32_t usual_days = 90;
    constexpr std::int64_t most_days = 3'650;
    constexpr std::int64_t seconds_in_day = 86'400;
    const std::int64_t kept = context.services.usage.retention_days();
    const std::int64_t most = kept == 0 ? most_days : std::min(kept, most_days);
    const std::int64_t wanted =
        days.value_or(static_cast<std::int32_t>(std::min<std::int64_t>(usual_days, most)));
    if (wanted < 1 || wanted > most) {
        return fail(ErrorCode::invalid_request, "days must be from 1 to " + std::to_string(most) +
                                                    ", which is how long usage is kept");
    }
    const Timestamp begin = context.services.clock.now().plus_seconds(-wanted * seconds_in_day);
    return UsageWindow{static_cast<std::int32_t>(wanted), day_of(begin), begin};
}

} // namespace claviger
