// SPDX-License-Identifier: Apache-2.0
// What all documents of discovery have in common.
#pragma once

#include "api/route.h"

namespace claviger {

constexpr Operation metadata_operation(std::string_view path, std::string_view id,
                                       std::string_view summary) {
    return {.method = HttpMethod::get,
            .path = path,
            .id = id,
            .tag = "discovery",
            .summary = summary,
            .access = Access::anyone(),
            .runs_on = RunsOn::inline_thread,
            .request_class = RequestClass::metadata};
}

} // namespace claviger
