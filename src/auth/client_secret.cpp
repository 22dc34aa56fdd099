// SPDX-License-Identifier: Apache-2.0
#include "auth/client_secret.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace claviger {
namespace {

constexpr std::size_t random_width = 43; // 32 bytes in base62
constexpr std::size_t checksum_width = 6;

std::string checksum_of(std::string_view text) {
    const std::uint32_t sum = crc32(text);
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(sum >> 24), static_cast<std::uint8_t>(sum >> 16),
        static_cast<std::uint8_t>(sum >> 8), static_cast<std::uint8_t>(sum)};
    return base62(bytes, checksum_width);
}

} // namespace

Secret generate_client_secret(Random& random, SecretKind kind) {
    std::array<std::uint8_t, 32> bytes{};
    random.fill(bytes);
    std::string text("clv");
    text.reserve(text.size() + 2 + random_width + checksum_width);
    text += static_cast<char>(kind);
    text += '_';
    text += base62(bytes, random_width);
    wipe(bytes);
    text += checksum_of(text);
    return Secret(std::move(text));
}

Pepper::Pepper(const MasterKey& master_key)
    : secrets_(master_key.derive("claviger secret pepper 1")),
      passwords_(master_key.derive("claviger password pepper 1")) {}

Digest Pepper::keyed_hash(std::string_view client_id, std::string_view secret) const {
    using namespace std::string_view_literals;
    return secrets_(
        {as_bytes("clv1\0"sv), as_bytes(client_id), as_bytes("\0"sv), as_bytes(secret)});
}

Digest Pepper::keyed_password(std::string_view normalised_password) const {
    return passwords_({as_bytes(normalised_password)});
}

ClientSecret keep_client_secret(const Pepper& pepper, Random& random, std::string_view client_id,
                                const Secret& secret, Timestamp now) {
    ClientSecret row;
    row.id = Uuid::make(random);
    row.pepper_version = pepper.version();
    row.keyed_hash = pepper.keyed_hash(client_id, secret.reveal());
    row.created_at = now;
    return row;
}

} // namespace claviger
