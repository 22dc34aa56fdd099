// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>

#include "base/seeded_random.h"
#include "base/text.h"
#include "jose/crypto.h"
#include "jose/jwt.h"
#include "jose/key.h"
#include "jose/password_hash.h"

namespace claviger {
namespace {

Key256 key_of(std::uint8_t byte) {
    Key256 key;
    key.fill(byte);
    return key;
}

std::string text_hex(std::span<const std::uint8_t> bytes) {
    return hex(bytes);
}

TEST(Crypto, KnowsSha256AndHmac) {
    EXPECT_EQ(text_hex(sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256(as_bytes("ab"), as_bytes("c")), sha256(as_bytes("abc")));
    // RFC 4231 4.2, its 20-byte key filled up with zeros as HMAC does.
    Key256 key{};
    std::fill_n(key.begin(), 20, std::uint8_t{0x0b});
    EXPECT_EQ(text_hex(HmacSha256(key)({as_bytes("Hi There")})),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(Crypto, SealsAgainstEveryChange) {
    SeededRandom random(3);
    const Bytes box = seal(key_of(1), as_bytes("secret"), "tenant 1", random);
    EXPECT_EQ(as_text(*open(key_of(1), box, "tenant 1")), "secret");
    EXPECT_FALSE(open(key_of(1), box, "tenant 2"));
    EXPECT_FALSE(open(key_of(2), box, "tenant 1"));
    for (std::size_t i = 0; i < box.size(); ++i) {
        Bytes changed = box;
        changed[i] ^= 1;
        EXPECT_FALSE(open(key_of(1), changed, "tenant 1")) << i;
    }
    EXPECT_FALSE(open(key_of(1), std::span(box).first(27), "tenant 1"));
    EXPECT_NE(hkdf_sha256(key_of(1), "a"), hkdf_sha256(key_of(1), "b"));
}

class EveryAlgorithm : public ::testing::TestWithParam<JoseAlgorithm> {};

TEST_P(EveryAlgorithm, SignsVerifiesAndMovesThroughPkcs8) {
    const PrivateKey key = *PrivateKey::generate(GetParam(), 2048);
    const PrivateKey again = *PrivateKey::from_pkcs8(GetParam(), key.pkcs8());
    EXPECT_EQ(again.public_key().kid(), key.public_key().kid());
    std::string signature;
    again.sign("header.payload", signature);
    const auto bytes = decode_base64url(signature);
    ASSERT_TRUE(bytes);
    EXPECT_TRUE(key.public_key().verify("header.payload", *bytes));
    EXPECT_FALSE(key.public_key().verify("header.payloae", *bytes));
    for (const JoseAlgorithm other :
         {JoseAlgorithm::es256, JoseAlgorithm::rs256, JoseAlgorithm::ed25519}) {
        EXPECT_EQ(PrivateKey::from_pkcs8(other, key.pkcs8()).has_value(), other == GetParam());
    }
    EXPECT_NE(key.public_key().jwk().find("\"use\":\"sig\""), std::string::npos);
    EXPECT_EQ(key.public_key().jwk().find("\"d\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Jose, EveryAlgorithm,
                         ::testing::Values(JoseAlgorithm::es256, JoseAlgorithm::rs256,
                                           JoseAlgorithm::ed25519));

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::size_t begin = 0;
    for (std::size_t at; (at = line.find(" | ", begin)) != std::string::npos; begin = at + 3) {
        fields.push_back(line.substr(begin, at - begin));
    }
    fields.push_back(line.substr(begin));
    return fields;
}

TEST(JoseVectors, AreJudgedRight) {
    std::ifstream in(CLAVIGER_SOURCE_DIR "/spec/vectors/jose/signatures.txt");
    int cases = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with('#')) {
            continue;
        }
        const auto fields = split(line);
        ASSERT_EQ(fields.size(), 6U);
        const JoseAlgorithm algorithm = fields[1] == "ES256"   ? JoseAlgorithm::es256
                                        : fields[1] == "RS256" ? JoseAlgorithm::rs256
                                                               : JoseAlgorithm::ed25519;
        const auto key = PrivateKey::from_pkcs8(algorithm, *decode_base64url(fields[2]));
        ASSERT_TRUE(key) << line;
        const Bytes message = *decode_base64url(fields[3]);
        EXPECT_EQ(key->public_key().verify(as_text(message), *decode_base64url(fields[4])),
                  fields[5] == "valid")
            << fields[1] << " " << fields[0];
        ++cases;
    }
    EXPECT_GE(cases, 28);
}

/// RFC 8037 A.1 to A.4: the thumbprint and the signature of a published Ed25519 key.
TEST(JoseVectors, KnowTheKeyOfRfc8037) {
    const Bytes seed = *decode_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    Bytes der = *decode_hex("302e020100300506032b657004220420");
    der.insert(der.end(), seed.begin(), seed.end());
    const PrivateKey key = *PrivateKey::from_pkcs8(JoseAlgorithm::ed25519, der);
    EXPECT_EQ(key.public_key().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    std::string signature;
    key.sign("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", signature);
    EXPECT_EQ(signature, "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7"
                         "sVvpAr_MuM0KAg");
}

TEST(Jwt, RoundTripsWithoutTheUrlAlphabetInItsPayload) {
    const PrivateKey key = *PrivateKey::generate(JoseAlgorithm::es256, 0);
    for (const char* name : {"?", ">>", "~a~", "é?", "日本>", "a?b>c~d", "\x7F"}) {
        for (const char* shift : {"", "x", "xx"}) {
            const std::string token = JwtBuilder(key, key.public_key().kid(), access_token_type)
                                          .add("iss", std::string(shift) + name)
                                          .add("exp", std::int64_t{1'900'000'000})
                                          .sign();
            const std::size_t first = token.find('.');
            const std::string payload = token.substr(first + 1, token.rfind('.') - first - 1);
            EXPECT_EQ(payload.find_first_of("-_"), std::string::npos);
            const auto parsed = parse_jwt(token);
            ASSERT_TRUE(parsed);
            EXPECT_EQ(parsed->issuer, std::string(shift) + (*name == '\x7F' ? "\x7F" : name));
            EXPECT_TRUE(key.public_key().verify(parsed->signing_input, parsed->signature));
        }
    }
}

std::string token_of(std::string_view header, std::string_view payload) {
    return base64url(as_bytes(header)) + "." + base64url(as_bytes(payload)) + ".AA";
}

TEST(Jwt, RefusesMalformedTokens) {
    constexpr std::string_view good = R"({"alg":"ES256","kid":"k","typ":"at+jwt"})";
    ASSERT_TRUE(parse_jwt(token_of(good, R"({"iss":"i","exp":1,"aud":["a","b"]})")));
    for (const std::string_view header : {R"([])",
                                          R"("x")",
                                          R"({"alg":1})",
                                          R"({"kid":1})",
                                          R"({"kid":["k"]})",
                                          R"({"typ":null})",
                                          R"({"alg":"ES256","alg":"none"})",
                                          R"({"crit":[]})",
                                          R"({"crit":["exp"]})",
                                          R"({"b64":false})",
                                          R"({"zip":"DEF"})",
                                          R"({"jku":"http://x"})",
                                          R"({"jwk":{}})",
                                          R"({"x5u":"u"})",
                                          R"({"x5c":[]})",
                                          R"({"x5t":"t"})",
                                          R"({"x5t#S256":"t"})",
                                          R"({"cty":"JWT"})",
                                          R"({"enc":"A128GCM"})",
                                          "{",
                                          "",
                                          R"({"kid":"a\u0000"})"}) {
        EXPECT_FALSE(parse_jwt(token_of(header, "{}"))) << header;
    }
    for (const std::string_view payload : {R"([])",
                                           R"("x")",
                                           "1",
                                           "null",
                                           "{",
                                           "",
                                           R"({"exp":"1"})",
                                           R"({"exp":1.5})",
                                           R"({"exp":1e400})",
                                           R"({"exp":-1})",
                                           R"({"exp":18446744073709551616})",
                                           R"({"exp":1,"exp":2})",
                                           R"({"iat":true})",
                                           R"({"nbf":"x"})",
                                           R"({"iss":1})",
                                           R"({"sub":[]})",
                                           R"({"aud":1})",
                                           R"({"aud":[1]})",
                                           R"({"aud":{}})",
                                           R"({"sub":"a\u0000b"})",
                                           R"({"sub":"\ud800"})",
                                           R"({"jti":{}})",
                                           R"({"cnf":{}})",
                                           R"({"tenant":"1"})",
                                           R"({"a":[[[[[[[[[1]]]]]]]]]})"}) {
        EXPECT_FALSE(parse_jwt(token_of(good, payload))) << payload;
    }
    const std::string token = token_of(good, "{}");
    for (const std::string& broken :
         {std::string(), std::string("."), std::string(".."), token + ".", token + "=",
          token + "\n", token.substr(0, token.size() - 3), "a." + token,
          std::string(1'000'000, '.'), std::string(max_token_size + 1, 'a'), token + "B+"}) {
        EXPECT_FALSE(parse_jwt(broken)) << broken.substr(0, 40);
    }
}

TEST(Jwt, SignsOnManyThreadsWhileKeysComeAndGo) {
    const PrivateKey shared = *PrivateKey::generate(JoseAlgorithm::es256, 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&shared] {
            for (int round = 0; round < 100; ++round) {
                const PrivateKey own = *PrivateKey::generate(JoseAlgorithm::es256, 0);
                for (const PrivateKey* key : {&shared, &own}) {
                    std::string signature;
                    key->sign("m", signature);
                    EXPECT_TRUE(key->public_key().verify("m", *decode_base64url(signature)));
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

TEST(Argon2, MatchesTheReferenceProgram) {
    // echo -n password | argon2 somesaltsomesalt -id -t 2 -k 19456 -p 1 -l 32 -e
    const std::string phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
                            "K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";
    Argon2 argon2(Argon2Parameters{});
    EXPECT_TRUE(*argon2.verify(phc, as_bytes("password")));
    EXPECT_FALSE(*argon2.verify(phc, as_bytes("passwore")));
    argon2.release_memory();
    SeededRandom random(5);
    const std::string own = *argon2.hash(as_bytes("hello"), random);
    EXPECT_TRUE(*argon2.verify(own, as_bytes("hello")));
    for (const char* broken : {"", "x", "$argon2id$v=19$m=1,t=1,p=2$AAAA$AAAA",
                               "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAA$AAAA"}) {
        EXPECT_FALSE(argon2.verify(broken, as_bytes("hello"))) << broken;
    }
}

} // namespace
} // namespace claviger
