// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::vector<std::string_view> names{"name", "createdAt", "roleId"};
    const std::vector<claviger::FieldKind> kinds{
        claviger::FieldKind::text, claviger::FieldKind::time, claviger::FieldKind::number};
    const auto terms = claviger::parse_filter({{std::string(text)}}, names, kinds);
    for (const claviger::FilterTerm& term : terms.value_or(std::vector<claviger::FilterTerm>{})) {
        if (term.value.empty() || term.field >= names.size()) {
            std::abort();
        }
    }
    return 0;
}
