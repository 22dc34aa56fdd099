// SPDX-License-Identifier: Apache-2.0
// The form of generated credentials, which scanners can tell from other text: a prefix, 43 base62
// characters of 32 bytes, 6 of CRC-32 over all before them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claviger {

using CredentialBytes = std::array<std::uint8_t, 32>;

std::string credential_text(std::string_view prefix, const CredentialBytes& bytes);
/// Nothing for text that was not made like this.
std::optional<CredentialBytes> read_credential_text(std::string_view prefix, std::string_view text);

} // namespace claviger
