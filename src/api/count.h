// SPDX-License-Identifier: Apache-2.0
// The answer of every ".../count" operation.
#pragma once

#include "api/codec.h"

namespace claviger {

struct CountResponse {
    std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(CountResponse, (), (count))

} // namespace claviger
