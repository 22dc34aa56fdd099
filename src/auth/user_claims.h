// SPDX-License-Identifier: Apache-2.0
// What an id token says about a user: OpenID Connect Core 5.1, and the attributes of the contract
// (1.6) under the names that its clients look for.
#pragma once

#include "jose/jwt.h"
#include "model/model.h"

namespace claviger {

void add_user_claims(JwtBuilder& builder, const User& user);

} // namespace claviger
