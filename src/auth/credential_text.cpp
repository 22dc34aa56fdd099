// SPDX-License-Identifier: Apache-2.0
#include "auth/credential_text.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/secret.h"

namespace claviger {
namespace {

constexpr std::size_t content_width = 43; // 32 bytes in base62
constexpr std::size_t checksum_width = 6;

std::string checksum_of(std::string_view text) {
    const std::uint32_t sum = crc32(text);
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(sum >> 24), static_cast<std::uint8_t>(sum >> 16),
        static_cast<std::uint8_t>(sum >> 8), static_cast<std::uint8_t>(sum)};
    return base62(bytes, checksum_width);
}

} // namespace

std::string credential_text(std::string_view prefix, const CredentialBytes& bytes) {
    std::string text(prefix);
    text.reserve(prefix.size() + content_width + checksum_width);
    text += base62(bytes, content_width);
    text += checksum_of(text);
    return text;
}

std::optional<CredentialBytes> read_credential_text(std::string_view prefix,
                                                    std::string_view text) {
    const std::size_t checked = prefix.size() + content_width;
    if (text.size() != checked + checksum_width || !text.starts_with(prefix) ||
        text.substr(checked) != checksum_of(text.substr(0, checked))) {
        return std::nullopt;
    }
    CredentialBytes bytes{};
    auto decoded = decode_base62(text.substr(prefix.size(), content_width), bytes.size());
    if (!decoded) {
        return std::nullopt;
    }
    std::ranges::copy(*decoded, bytes.begin());
    wipe(*decoded);
    return bytes;
}

} // namespace claviger
