// SPDX-License-Identifier: Apache-2.0
#include "jose/key.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdexcept>
#include <vector>

#include "jose/crypto.h"
#include "jose/ecdsa_signature.h"
#include "jose/jwk.h"

namespace claviger {
namespace {

template <auto free_function>
struct Free {
    void operator()(auto* object) const { free_function(object); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;

void require(bool success) {
    if (!success) {
        throw std::runtime_error("OpenSSL failed");
    }
}

/// Fetched once for the process; contexts take their own reference.
const EVP_MD* sha256_digest() {
    static EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return digest;
}

bool is_hashed_first(JoseAlgorithm algorithm) {
    return algorithm != JoseAlgorithm::ed25519;
}

/// True when the key is of the kind and size that the algorithm wants.
bool fits(JoseAlgorithm algorithm, EVP_PKEY* key) {
    switch (algorithm) {
    case JoseAlgorithm::es256: {
        std::array<char, 64> group{};
        std::size_t length = 0;
        return EVP_PKEY_is_a(key, "EC") == 1 &&
               EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
               std::string_view(group.data(), length) == "prime256v1";
    }
    case JoseAlgorithm::rs256:
        return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= 2048 &&
               EVP_PKEY_get_bits(key) <= 4096;
    case JoseAlgorithm::ed25519:
        break;
    }
    return EVP_PKEY_is_a(key, "ED25519") == 1;
}

std::string number_text(EVP_PKEY* key, const char* parameter, int width) {
    BIGNUM* raw = nullptr;
    require(EVP_PKEY_get_bn_param(key, parameter, &raw) == 1);
    const Number number(raw);
    Bytes bytes(static_cast<std::size_t>(width > 0 ? width : BN_num_bytes(number.get())));
    require(BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(bytes.size())) >= 0);
    return base64url(bytes);
}

/// The members of RFC 7638 3.2, in its order: what the thumbprint is taken of.
std::string required_members(JoseAlgorithm algorithm, EVP_PKEY* key) {
    switch (algorithm) {
    case JoseAlgorithm::es256:
        return R"({"crv":"P-256","kty":"EC","x":")" +
               number_text(key, OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
               number_text(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32) + R"("})";
    case JoseAlgorithm::rs256:
        return R"({"e":")" + number_text(key, OSSL_PKEY_PARAM_RSA_E, 0) + R"(","kty":"RSA","n":")" +
               number_text(key, OSSL_PKEY_PARAM_RSA_N, 0) + R"("})";
    case JoseAlgorithm::ed25519:
        break;
    }
    std::array<std::uint8_t, 32> raw{};
    std::size_t length = raw.size();
    require(EVP_PKEY_get_raw_public_key(key, raw.data(), &length) == 1);
    return R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url(raw) + R"("})";
}

} // namespace

std::string_view name_of(JoseAlgorithm algorithm) {
    static constexpr std::array<std::string_view, 3> names{"ES256", "RS256", "Ed25519"};
    return names[static_cast<std::size_t>(algorithm)];
}

/// A key and what is computed from it once. Private and public keys share one.
struct PublicKey::Parts {
    Parts(JoseAlgorithm of, Pkey owned) : algorithm(of), pkey(std::move(owned)) {
        static std::atomic<std::uint64_t> last{0};
        serial = ++last;
        members = required_members(algorithm, pkey.get());
        kid = base64url(sha256(as_bytes(members)));
    }
    JoseAlgorithm algorithm;
    Pkey pkey;
    std::uint64_t serial; // identifies this key in the per-thread contexts
    std::string members;
    std::string kid;
};

struct PrivateKey::Parts : PublicKey::Parts {
    using PublicKey::Parts::Parts;
};

namespace {

/// What one thread keeps ready for one key.
struct Contexts {
    std::uint64_t serial = 0;
    Pkey own_key; // a copy: RSA blinding takes a lock on a shared key
    PkeyContext sign;
    PkeyContext verify;
    DigestContext one_shot; // Ed25519 signs the message, not a hash
};

/// The contexts of this thread, the most recently made last; at most 64.
Contexts& contexts_of(const PublicKey::Parts& parts) {
    static constexpr std::size_t most_keys = 64;
    static thread_local std::vector<Contexts> all;
    const auto at = std::ranges::find(all, parts.serial, &Contexts::serial);
    if (at != all.end()) {
        return *at;
    }
    if (all.size() >= most_keys) {
        all.erase(all.begin());
    }
    Contexts made;
    made.serial = parts.serial;
    made.own_key.reset(EVP_PKEY_dup(parts.pkey.get()));
    require(made.own_key != nullptr);
    made.one_shot.reset(EVP_MD_CTX_new());
    all.push_back(std::move(made));
    return all.back();
}

PkeyContext make_context(EVP_PKEY* key, JoseAlgorithm algorithm, bool sign) {
    PkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
    require(context &&
            (sign ? EVP_PKEY_sign_init(context.get()) : EVP_PKEY_verify_init(context.get())) == 1);
    if (algorithm == JoseAlgorithm::rs256) {
        require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
    }
    require(EVP_PKEY_CTX_set_signature_md(context.get(), sha256_digest()) == 1);
    return context;
}

bool verify_ed25519(Contexts& contexts, std::string_view input,
                    std::span<const std::uint8_t> signature) {
    EVP_MD_CTX_reset(contexts.one_shot.get());
    const auto message = as_bytes(input);
    return EVP_DigestVerifyInit(contexts.one_shot.get(), nullptr, nullptr, nullptr,
                                contexts.own_key.get()) == 1 &&
           EVP_DigestVerify(contexts.one_shot.get(), signature.data(), signature.size(),
                            message.data(), message.size()) == 1;
}

void sign_ed25519(Contexts& contexts, std::string_view input, std::string& out) {
    std::array<std::uint8_t, 64> signature{};
    std::size_t length = signature.size();
    EVP_MD_CTX_reset(contexts.one_shot.get());
    const auto message = as_bytes(input);
    require(EVP_DigestSignInit(contexts.one_shot.get(), nullptr, nullptr, nullptr,
                               contexts.own_key.get()) == 1 &&
            EVP_DigestSign(contexts.one_shot.get(), signature.data(), &length, message.data(),
                           message.size()) == 1);
    append_base64url(out, signature);
}

} // namespace

PublicKey::PublicKey(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

JoseAlgorithm PublicKey::algorithm() const {
    return parts_->algorithm;
}

const std::string& PublicKey::kid() const {
    return parts_->kid;
}

std::string PublicKey::jwk() const {
    std::string out = parts_->members;
    out.pop_back();
    out += R"(,"use":"sig","alg":")" + std::string(name_of(parts_->algorithm)) + R"(","kid":")" +
           parts_->kid + R"("})";
    return out;
}

bool PublicKey::verify(std::string_view signing_input,
                       std::span<const std::uint8_t> signature) const {
    Contexts& contexts = contexts_of(*parts_);
    if (!is_hashed_first(parts_->algorithm)) {
        return signature.size() == 64 && verify_ed25519(contexts, signing_input, signature);
    }
    std::optional<DerSignature> der;
    if (parts_->algorithm == JoseAlgorithm::es256) {
        der = der_from_jose(signature);
        if (!der) {
            return false;
        }
        signature = std::span(der->bytes).first(der->size);
    } else if (signature.size() !=
               static_cast<std::size_t>(EVP_PKEY_get_size(parts_->pkey.get()))) {
        return false;
    }
    if (!contexts.verify) {
        contexts.verify = make_context(contexts.own_key.get(), parts_->algorithm, false);
    }
    const Sha256Digest digest = sha256(as_bytes(signing_input));
    return EVP_PKEY_verify(contexts.verify.get(), signature.data(), signature.size(), digest.data(),
                           digest.size()) == 1;
}

namespace {

Pkey key_from(const char* type, OSSL_PARAM_BLD* builder) {
    const std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>> parameters(
        OSSL_PARAM_BLD_to_param(builder));
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
    }
    return Pkey(key);
}

/// Null for what is no point of the curve.
Pkey p256_key(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y) {
    const std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    Bytes point{POINT_CONVERSION_UNCOMPRESSED};
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    if (x.size() != 32 || y.size() != 32 || !builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
        return nullptr;
    }
    return key_from("EC", builder.get());
}

Pkey rsa_key(std::span<const std::uint8_t> n, std::span<const std::uint8_t> e) {
    const std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    const Number modulus(BN_bin2bn(n.data(), static_cast<int>(n.size()), nullptr));
    const Number exponent(BN_bin2bn(e.data(), static_cast<int>(e.size()), nullptr));
    if (n.size() > 512 || e.size() > 8 || !builder || !modulus || !exponent ||
        BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        return nullptr;
    }
    return key_from("RSA", builder.get());
}

} // namespace

Result<PublicKey> make_public_key(JoseAlgorithm algorithm, std::span<const std::uint8_t> first,
                                  std::span<const std::uint8_t> second) {
    Pkey key;
    switch (algorithm) {
    case JoseAlgorithm::es256:
        key = p256_key(first, second);
        break;
    case JoseAlgorithm::rs256:
        key = rsa_key(first, second);
        break;
    case JoseAlgorithm::ed25519:
        key.reset(
            EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, first.data(), first.size()));
        break;
    }
    if (!key || !fits(algorithm, key.get())) {
        return fail(ErrorCode::invalid_request, "the key does not fit its algorithm");
    }
    return PublicKey(std::make_shared<const PublicKey::Parts>(algorithm, std::move(key)));
}

PrivateKey::PrivateKey(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

Result<PrivateKey> PrivateKey::generate(JoseAlgorithm algorithm, int rsa_bits) {
    Pkey key;
    switch (algorithm) {
    case JoseAlgorithm::es256:
        key.reset(EVP_EC_gen("P-256"));
        break;
    case JoseAlgorithm::rs256:
        if (rsa_bits < 2048 || rsa_bits > 4096) {
            return fail(ErrorCode::invalid_request, "an RSA key has 2048 to 4096 bits");
        }
        key.reset(EVP_RSA_gen(static_cast<unsigned>(rsa_bits)));
        break;
    case JoseAlgorithm::ed25519:
        key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        break;
    }
    if (!key) {
        return fail(ErrorCode::internal, "the signing key cannot be made");
    }
    return PrivateKey(std::make_shared<const Parts>(algorithm, std::move(key)));
}

Result<PrivateKey> PrivateKey::from_pkcs8(JoseAlgorithm algorithm,
                                          std::span<const std::uint8_t> der) {
    const unsigned char* at = der.data();
    Pkey key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
    if (!key || at != der.data() + der.size()) {
        return fail(ErrorCode::internal, "a stored signing key is unreadable");
    }
    if (!fits(algorithm, key.get())) {
        return fail(ErrorCode::internal, "a stored signing key does not fit its algorithm");
    }
    return PrivateKey(std::make_shared<const Parts>(algorithm, std::move(key)));
}

Bytes PrivateKey::pkcs8() const {
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>> form(
        EVP_PKEY2PKCS8(parts_->pkey.get()));
    require(form != nullptr);
    const int size = i2d_PKCS8_PRIV_KEY_INFO(form.get(), nullptr);
    require(size > 0);
    Bytes der(static_cast<std::size_t>(size));
    unsigned char* at = der.data();
    require(i2d_PKCS8_PRIV_KEY_INFO(form.get(), &at) == size);
    return der;
}

PublicKey PrivateKey::public_key() const {
    return PublicKey(parts_);
}

JoseAlgorithm PrivateKey::algorithm() const {
    return parts_->algorithm;
}

void PrivateKey::sign(std::string_view signing_input, std::string& out) const {
    Contexts& contexts = contexts_of(*parts_);
    if (!is_hashed_first(parts_->algorithm)) {
        sign_ed25519(contexts, signing_input, out);
        return;
    }
    if (!contexts.sign) {
        contexts.sign = make_context(contexts.own_key.get(), parts_->algorithm, true);
    }
    const Sha256Digest digest = sha256(as_bytes(signing_input));
    std::array<std::uint8_t, 512> signature{}; // RSA of 4096 bits
    std::size_t length = signature.size();
    require(EVP_PKEY_sign(contexts.sign.get(), signature.data(), &length, digest.data(),
                          digest.size()) == 1);
    if (parts_->algorithm == JoseAlgorithm::es256) {
        const auto jose = jose_from_der(std::span(signature).first(length));
        require(jose.has_value());
        append_base64url(out, *jose);
    } else {
        append_base64url(out, std::span(signature).first(length));
    }
}

} // namespace claviger
