// SPDX-License-Identifier: Apache-2.0
// The symmetric primitives that Claviger uses, over OpenSSL with contexts kept per thread: nothing
// is fetched, parsed or allocated by OpenSSL per call.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/encoding.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"

namespace claviger {

using Sha256Digest = std::array<std::uint8_t, 32>;
/// A 256-bit key; wiped by its owner (see SealingKey, MasterKey).
using Key256 = std::array<std::uint8_t, 32>;

Sha256Digest sha256(std::span<const std::uint8_t> bytes);
/// SHA-256 of the concatenation.
Sha256Digest sha256(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second);

/// HMAC-SHA-256 under one fixed key, made once and used often (RFC 2104).
/// The context is per object and guarded per thread: safe from any thread.
class HmacSha256 {
public:
    explicit HmacSha256(const Key256& key);
    ~HmacSha256();
    HmacSha256(const HmacSha256&) = delete;
    HmacSha256& operator=(const HmacSha256&) = delete;
    /// Of the parts one after the other.
    Sha256Digest operator()(std::initializer_list<std::span<const std::uint8_t>> parts) const;

private:
    Key256 key_;
    std::uint64_t serial_; // identifies this object in the per-thread contexts
};

/// HKDF-SHA-256 with an empty salt (RFC 5869); `info` names the use.
Key256 hkdf_sha256(const Key256& key, std::string_view info);

/// AES-256-GCM: 12-byte random nonce, ciphertext, 16-byte tag, in this order.
Bytes seal(const Key256& key, std::span<const std::uint8_t> plaintext,
           std::string_view associated_data, Random& random);
/// `internal` when the box was changed, or made with another key or other associated data.
Result<Bytes> open(const Key256& key, std::span<const std::uint8_t> box,
                   std::string_view associated_data);

} // namespace claviger
