// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jose/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto jwt = claviger::parse_jwt(text);
    if (jwt && jwt->signing_input.size() > text.size()) {
        std::abort();
    }
    return 0;
}
