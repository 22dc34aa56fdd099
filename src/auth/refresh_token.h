// SPDX-License-Identifier: Apache-2.0
// Refresh tokens: "clvr_" and the form of other credentials. A token names its session and the
// generation in it, and proves by a keyed hash that it was made here: nothing of it is stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/root_key.h"
#include "model/model.h"

namespace claviger {

struct RefreshTokenContent {
    SessionId session;
    std::uint32_t generation = 0;
};

class RefreshTokens {
public:
    explicit RefreshTokens(const RootKey& root_key);

    /// The token of the session's present generation.
    std::string make(const Session& session) const;
    /// Nothing for text that was not made for this tenant by make().
    std::optional<RefreshTokenContent> read(TenantId tenant, std::string_view text) const;

private:
    HmacSha256 hash_;
};

} // namespace claviger
