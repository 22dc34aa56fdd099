// SPDX-License-Identifier: Apache-2.0
#include "auth/token_id.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::string_view service_account_prefix = "sa:";
constexpr std::string_view user_prefix = "user:";

constexpr std::size_t token_id_size = 24; // bytes

/// Big-endian.
void write_number(std::span<std::uint8_t, 4> bytes, std::uint32_t number) {
    for (std::size_t i = bytes.size(); i-- > 0; number >>= 8) {
        bytes[i] = static_cast<std::uint8_t>(number);
    }
}
std::uint32_t read_number(std::span<const std::uint8_t, 4> bytes) {
    std::uint32_t number = 0;
    for (const std::uint8_t byte : bytes) {
        number = number << 8 | byte;
    }
    return number;
}

} // namespace

std::string make_token_id(std::uint32_t epoch, std::uint32_t secret, Random& random) {
    std::array<std::uint8_t, token_id_size> bytes{};
    write_number(std::span(bytes).first<4>(), epoch);
    write_number(std::span(bytes).subspan<4, 4>(), secret);
    random.fill(std::span(bytes).subspan(8));
    return base64url(bytes);
}

std::optional<TokenId> read_token_id(std::string_view token_id) {
    const auto bytes = decode_base64url(token_id);
    if (!bytes || bytes->size() != token_id_size) {
        return std::nullopt;
    }
    const std::span all(*bytes);
    TokenId id{read_number(all.first<4>()), read_number(all.subspan<4, 4>()), {}};
    std::ranges::copy(all.subspan<8>(), id.random.bytes.begin());
    return id;
}

std::string subject_claim(PrincipalKind kind, const Uuid& id) {
    const auto text = id.characters();
    std::string claim;
    claim.reserve(user_prefix.size() + text.size());
    claim += kind == PrincipalKind::user ? user_prefix : service_account_prefix;
    claim += as_text(text);
    return claim;
}

std::optional<std::pair<PrincipalKind, Uuid>> parse_subject_claim(std::string_view claim) {
    const bool user = claim.starts_with(user_prefix);
    if (!user && !claim.starts_with(service_account_prefix)) {
        return std::nullopt;
    }
    claim.remove_prefix(user ? user_prefix.size() : service_account_prefix.size());
    const auto id = Uuid::parse(claim);
    if (!id) {
        return std::nullopt;
    }
    return std::pair(user ? PrincipalKind::user : PrincipalKind::service_account, *id);
}

} // namespace claviger
