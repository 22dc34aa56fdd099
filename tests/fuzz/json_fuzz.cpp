// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/strict_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const claviger::StrictJsonLimits limits{16, 64, true};
    const auto value = claviger::parse_strict_json(text, limits);
    if (value && value->is_object() && value->as_object().size() > limits.max_members) {
        std::abort();
    }
    return 0;
}
