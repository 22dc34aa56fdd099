// SPDX-License-Identifier: Apache-2.0
// What the change log notes about a row, and what every row must satisfy in every backend.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/model.h"

namespace claviger {

/// A line of the change log, without its number.
struct RowFacts {
    TenantId tenant{};
    std::string_view noun;
    std::string id;
    Timestamp at;
};

RowFacts facts_of(const Row& row);

/// `internal` when parts of the row belong to different tenants.
Result<void> check_one_tenant(const OrgUnit& unit);
Result<void> check_one_tenant(const AccessRule& rule);

} // namespace claviger
