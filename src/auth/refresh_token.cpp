// SPDX-License-Identifier: Apache-2.0
#include "auth/refresh_token.h"

#include <algorithm>

#include "auth/credential_text.h"
#include "base/secret.h"

namespace claviger {
namespace {

constexpr std::string_view prefix = "clvr_";
constexpr std::size_t generation_at = 16; // after the session's id
constexpr std::size_t proof_at = 20;      // 12 bytes to the end

using Number = std::array<std::uint8_t, 4>;

Number big_endian(std::uint32_t number) {
    return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
            static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

/// Writes what proves that the bytes before are ours.
void append_proof(const HmacSha256& hash, TenantId tenant, CredentialBytes& bytes) {
    const Number tenant_number = big_endian(static_cast<std::uint32_t>(number_of(tenant)));
    const Digest proof = hash({tenant_number, std::span(bytes).first(proof_at)});
    std::copy_n(proof.begin(), bytes.size() - proof_at, bytes.begin() + proof_at);
}

} // namespace

RefreshTokens::RefreshTokens(const RootKey& root_key)
    : hash_(root_key.derive("claviger refresh token 1")) {}

std::string RefreshTokens::make(const Session& session) const {
    CredentialBytes bytes{};
    std::ranges::copy(session.id.value.bytes, bytes.begin());
    std::ranges::copy(big_endian(session.generation), bytes.begin() + generation_at);
    append_proof(hash_, session.id.tenant, bytes);
    return credential_text(prefix, bytes);
}

std::optional<RefreshTokenContent> RefreshTokens::read(TenantId tenant,
                                                       std::string_view text) const {
    const auto bytes = read_credential_text(prefix, text);
    if (!bytes) {
        return std::nullopt;
    }
    CredentialBytes right = *bytes;
    append_proof(hash_, tenant, right);
    if (!constant_time_equal(*bytes, right)) {
        return std::nullopt;
    }
    RefreshTokenContent content;
    content.session.tenant = tenant;
    std::copy_n(bytes->begin(), generation_at, content.session.value.bytes.begin());
    for (std::size_t i = generation_at; i < proof_at; ++i) {
        content.generation = content.generation << 8 | (*bytes)[i];
    }
    return content;
}

} // namespace claviger
