// SPDX-License-Identifier: Apache-2.0
#include "jose/crypto.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdexcept>
#include <vector>

namespace claviger {
namespace {

template <auto free_function>
struct Free {
    void operator()(auto* object) const { free_function(object); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, Free<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Free<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Free<EVP_KDF_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Free<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;

/// OpenSSL fails here only when it is broken or out of memory.
void require(bool success) {
    if (!success) {
        throw std::runtime_error("OpenSSL failed");
    }
}

/// A digest context of this thread, fetched once and reset for each use.
EVP_MD_CTX* sha256_context() {
    static thread_local const DigestContext context = [] {
        DigestContext made(EVP_MD_CTX_new());
        EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
        require(made && digest != nullptr && EVP_DigestInit_ex2(made.get(), digest, nullptr) == 1);
        EVP_MD_free(digest); // the context holds it
        return made;
    }();
    require(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1);
    return context.get();
}

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

MacContext make_hmac_context(const Key256& key) {
    const Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    require(mac != nullptr);
    MacContext context(EVP_MAC_CTX_new(mac.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
    require(context && EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1);
    return context;
}

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

CipherContext make_gcm_context(const Key256& key, const std::uint8_t* nonce, bool encrypt) {
    const Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    CipherContext context(EVP_CIPHER_CTX_new());
    require(cipher && context &&
            EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nonce, encrypt ? 1 : 0,
                               nullptr) == 1);
    return context;
}

void add_associated_data(EVP_CIPHER_CTX* context, std::string_view text) {
    int ignored = 0;
    require(EVP_CipherUpdate(context, nullptr, &ignored, as_bytes(text).data(),
                             static_cast<int>(text.size())) == 1);
}

} // namespace

Sha256Digest sha256(std::span<const std::uint8_t> bytes) {
    return sha256(bytes, {});
}

Sha256Digest sha256(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
    EVP_MD_CTX* const context = sha256_context();
    Sha256Digest digest;
    unsigned length = 0;
    require(EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
            (second.empty() || EVP_DigestUpdate(context, second.data(), second.size()) == 1) &&
            EVP_DigestFinal_ex(context, digest.data(), &length) == 1);
    return digest;
}

HmacSha256::HmacSha256(const Key256& key) : key_(key), serial_(next_serial()) {}

HmacSha256::~HmacSha256() {
    wipe(key_);
}

Sha256Digest
HmacSha256::operator()(std::initializer_list<std::span<const std::uint8_t>> parts) const {
    struct Entry {
        std::uint64_t serial;
        MacContext context;
    };
    static constexpr std::size_t most_contexts = 16;
    static thread_local std::vector<Entry> contexts;
    auto at = std::ranges::find(contexts, serial_, &Entry::serial);
    if (at == contexts.end()) {
        if (contexts.size() >= most_contexts) {
            contexts.erase(contexts.begin());
        }
        contexts.push_back({serial_, make_hmac_context(key_)});
        at = std::prev(contexts.end());
    }
    EVP_MAC_CTX* const context = at->context.get();
    Sha256Digest digest;
    std::size_t length = 0;
    require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
    for (const auto part : parts) {
        require(EVP_MAC_update(context, part.data(), part.size()) == 1);
    }
    require(EVP_MAC_final(context, digest.data(), &length, digest.size()) == 1);
    return digest;
}

Key256 hkdf_sha256(const Key256& key, std::string_view info) {
    const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    require(kdf != nullptr);
    const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
    char digest[] = "SHA256";
    Key256 secret = key;
    std::string purpose(info);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose.data(), purpose.size()),
        OSSL_PARAM_END};
    Key256 derived;
    const bool done =
        context && EVP_KDF_derive(context.get(), derived.data(), derived.size(), parameters) > 0;
    wipe(secret);
    require(done);
    return derived;
}

Bytes seal(const Key256& key, std::span<const std::uint8_t> plaintext,
           std::string_view associated_data, Random& random) {
    Bytes box(nonce_size + plaintext.size() + tag_size);
    random.fill(std::span(box).first(nonce_size));
    const CipherContext context = make_gcm_context(key, box.data(), true);
    add_associated_data(context.get(), associated_data);
    int length = 0;
    int rest = 0;
    std::uint8_t* const text = box.data() + nonce_size;
    require(EVP_CipherUpdate(context.get(), text, &length, plaintext.data(),
                             static_cast<int>(plaintext.size())) == 1 &&
            EVP_CipherFinal_ex(context.get(), text + length, &rest) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, int{tag_size},
                                text + plaintext.size()) == 1);
    return box;
}

Result<Bytes> open(const Key256& key, std::span<const std::uint8_t> box,
                   std::string_view associated_data) {
    const auto broken = [] { return fail(ErrorCode::internal, "sealed data cannot be opened"); };
    if (box.size() < nonce_size + tag_size) {
        return broken();
    }
    const CipherContext context = make_gcm_context(key, box.data(), false);
    add_associated_data(context.get(), associated_data);
    const auto text = box.subspan(nonce_size, box.size() - nonce_size - tag_size);
    Bytes tag(box.end() - tag_size, box.end());
    Bytes plaintext(text.size() + 1);
    int length = 0;
    int rest = 0;
    const bool good =
        EVP_CipherUpdate(context.get(), plaintext.data(), &length, text.data(),
                         static_cast<int>(text.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, int{tag_size}, tag.data()) == 1 &&
        EVP_CipherFinal_ex(context.get(), plaintext.data() + length, &rest) == 1;
    if (!good) {
        wipe(plaintext);
        return broken();
    }
    plaintext.resize(text.size());
    return plaintext;
}

} // namespace claviger
