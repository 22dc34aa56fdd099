// SPDX-License-Identifier: Apache-2.0
#include "verifier/token_judge.h"

#include <fstream>
#include <gmock/gmock.h>

#include "verifier/test_issuer.h"

namespace claviger::offline {
namespace {

class JudgeTest : public testing::Test {
protected:
    Judged<TokenPointer> judge(std::string_view token) {
        return judge_token(token, expected, keys, issuer.clock.now().seconds());
    }
    refusal_reason reason(std::string_view token) {
        const auto judged = judge(token);
        EXPECT_FALSE(judged) << token;
        return judged ? refusal_reason::missing : judged.error().reason;
    }
    /// The claims of a good token with one that is different; no text leaves it out.
    std::string with(const std::string& name, const std::string& value) {
        auto claims = issuer.claims();
        claims.erase(name);
        if (!value.empty()) {
            claims[name] = value;
        }
        return issuer.token(claims);
    }
    std::string seconds_from_now(std::int64_t seconds) {
        return std::to_string(issuer.clock.now().seconds() + seconds);
    }

    TestIssuer issuer;
    Expectations expected{{test_issuer_url, "https://claviger.example/auth/realms/runai"}, "api"};
    KeyStore keys{[this] { return issuer.answer(); }, issuer.clock};
};

TEST_F(JudgeTest, SaysWhatAGoodTokenSays) {
    auto claims = issuer.claims(4, 9);
    claims["aud"] = R"(["other","api"])";
    claims["sid"] = R"("1556eb5c-fee7-42a5-93d4-95282d9a5c08")";
    const auto judged = judge(issuer.token(claims));
    ASSERT_TRUE(judged) << judged.error().detail;
    const verified_token token(*judged);
    EXPECT_EQ(token.subject(), test_subject);
    EXPECT_EQ(token.client_id(), "ci");
    EXPECT_EQ(token.issuer(), test_issuer_url);
    EXPECT_THAT(token.audience(), testing::ElementsAre("other", "api"));
    EXPECT_EQ(token.session(), "1556eb5c-fee7-42a5-93d4-95282d9a5c08");
    EXPECT_EQ(token.expires_at() - token.issued_at(), 3600);
    EXPECT_EQ('"' + token.token_id() + '"', claims["jti"]);
    EXPECT_THAT(token.claims(), testing::HasSubstr(R"("client_id":"ci")"));
    EXPECT_EQ(token.content().epoch, 4U);
    EXPECT_EQ(token.content().secret, 9U);
    EXPECT_FALSE(token.content().narrowing);
}

TEST_F(JudgeTest, RefusesAKeyThatDoesNotSayWhatItSigns) {
    KeyStore silent(
        [this] {
            auto key = TestIssuer::published(issuer.tokens, access_token_type).as_object();
            key.erase(token_type_member);
            return Answer{200,
                          boost::json::serialize(
                              boost::json::object{{"keys", boost::json::array{std::move(key)}}}),
                          {}};
        },
        issuer.clock);
    const auto judged =
        judge_token(issuer.token(issuer.claims()), expected, silent, issuer.clock.now().seconds());
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().reason, refusal_reason::wrong_type);
}

TEST_F(JudgeTest, RefusesWhatIsWrongInAClaim) {
    using enum refusal_reason;
    const std::vector<std::tuple<std::string, std::string, refusal_reason>> cases{
        {"iss", R"("https://claviger.example/")", wrong_issuer},
        {"iss", "", wrong_issuer},
        {"aud", R"("apis")", wrong_audience},
        {"aud", "[]", wrong_audience},
        {"aud", "7", malformed},
        {"client_id", "", malformed},
        {"tenant", "", malformed},
        {"exp", "", malformed},
        {"iat", "", malformed},
        {"exp", "1e10", malformed},
        {"exp", seconds_from_now(0), expired},
        {"iat", seconds_from_now(61), not_yet_valid},
        {"nbf", seconds_from_now(61), not_yet_valid},
        {"sub", R"("admin@example.com")", malformed},
        {"jti", R"("AAAA")", malformed},
        {"sid", R"("no uuid")", malformed},
        {"within", R"("system:1")", malformed},
        {"cnf", "{}", malformed},
    };
    for (const auto& [name, value, why] : cases) {
        EXPECT_EQ(reason(with(name, value)), why) << name << ' ' << value;
    }
    EXPECT_TRUE(judge(with("iat", seconds_from_now(60)))) << "within the skew of clocks";
    EXPECT_TRUE(judge(with("nbf", seconds_from_now(60))));
    EXPECT_TRUE(judge(with("exp", seconds_from_now(1))));
    EXPECT_TRUE(judge(with("iss", R"("https://claviger.example/auth/realms/runai")")));
}

TEST_F(JudgeTest, RefusesOtherKeysTypesAndSignatures) {
    using enum refusal_reason;
    const auto claims = issuer.claims();
    EXPECT_EQ(reason(""), missing);
    EXPECT_EQ(reason("a.b.c"), malformed);
    EXPECT_EQ(reason(std::string(9000, 'a')), malformed);
    EXPECT_EQ(reason(TestIssuer::sign(issuer.tokens, claims, "JWT")), wrong_type);
    EXPECT_EQ(reason(TestIssuer::sign(issuer.events, claims, "at+jwt")), wrong_type)
        << "that key signs other documents";
    const TestIssuer stranger;
    EXPECT_EQ(reason(stranger.token(claims)), unknown_key);
    std::string token = issuer.token(claims);
    const std::size_t at = token.rfind('.') + 1;
    token[at] = token[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(reason(token), wrong_signature);
    const std::string good = issuer.token(claims);
    const std::string head = base64url(as_bytes(
        R"({"alg":"RS256","kid":")" + issuer.tokens.public_key().kid() + R"(","typ":"at+jwt"})"));
    EXPECT_EQ(reason(head + good.substr(good.find('.'))), wrong_algorithm);
    const std::string none = base64url(as_bytes(R"({"alg":"none","typ":"at+jwt"})"));
    EXPECT_EQ(reason(none + good.substr(good.find('.'))), unknown_key) << "there is no kid";
}

TEST_F(JudgeTest, ReadsWhatATokenWasNarrowedTo) {
    auto claims = issuer.claims();
    claims["scope"] = R"("openid project:read report:read")";
    claims["within"] = R"("project:4711")";
    const auto judged = judge(issuer.token(claims));
    ASSERT_TRUE(judged);
    const AccessLimit& narrowing = (*judged)->narrowing.value();
    EXPECT_EQ(narrowing.permissions->size(), 1U);
    EXPECT_THAT((*judged)->more, testing::ElementsAre("report:read"));
    EXPECT_EQ(narrowing.scopes->front(), (ScopeId{TenantId{1}, ScopeType::project, "4711"}));
}

TEST_F(JudgeTest, LooksAtATokenAgainWheneverItIsUsed) {
    const auto token = *judge(issuer.token());
    FeedState feed(issuer.clock, 60'000);
    const auto why = [&] {
        const auto judged = judge_standing(*token, keys, feed, issuer.clock.now().seconds());
        return judged ? std::nullopt : std::optional(judged.error().reason);
    };
    EXPECT_EQ(why(), refusal_reason::not_ready);
    feed.reset({}, 1);
    EXPECT_EQ(why(), std::nullopt);
    ASSERT_TRUE(feed.apply(2, "urn:claviger:event:token-revoked",
                           {{"jti", token->token_id}, {"until", token->expires_at + 1}}));
    EXPECT_EQ(why(), refusal_reason::ended);
    feed.reset({}, 3);
    issuer.clock.advance_seconds(61);
    EXPECT_EQ(why(), refusal_reason::stale);
    feed.hear();
    keys.burn(token->kid);
    EXPECT_EQ(why(), refusal_reason::unknown_key);
    issuer.clock.advance_seconds(3600);
    feed.hear();
    EXPECT_EQ(why(), refusal_reason::expired);
}

TEST(Refusals, SayWhatToAnswer) {
    const refusal expired = refusal_of({refusal_reason::expired, "x"});
    EXPECT_EQ(expired.status, 401);
    EXPECT_EQ(expired.challenge(), R"(Bearer error="invalid_token")");
    const refusal missing = refusal_of({refusal_reason::missing, ""});
    EXPECT_EQ(missing.status, 401);
    EXPECT_EQ(missing.challenge(), "Bearer");
    for (const refusal_reason reason : {refusal_reason::stale, refusal_reason::not_ready}) {
        EXPECT_EQ(refusal_of({reason, ""}).status, 503);
        EXPECT_EQ(refusal_of({reason, ""}).challenge(), "");
    }
}

/// spec/vectors/jose, with the keys as they are published.
TEST(JoseVectors, AreJudgedByPublishedKeysAsWritten) {
    std::ifstream in(CLAVIGER_SOURCE_DIR "/spec/vectors/jose/signatures.txt");
    int cases = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with('#')) {
            continue;
        }
        std::vector<std::string> fields;
        for (std::size_t at = 0; at != std::string::npos && at <= line.size();) {
            const std::size_t end = line.find(" | ", at);
            fields.push_back(line.substr(at, end - at));
            at = end == std::string::npos ? end : end + 3;
        }
        ASSERT_EQ(fields.size(), 6U) << line;
        const JoseAlgorithm algorithm = fields[1] == "ES256"   ? JoseAlgorithm::es256
                                        : fields[1] == "RS256" ? JoseAlgorithm::rs256
                                                               : JoseAlgorithm::ed25519;
        const auto secret = PrivateKey::from_pkcs8(algorithm, *decode_base64url(fields[2]));
        ASSERT_TRUE(secret) << line;
        const auto set = parse_key_set(R"({"keys":[)" + secret->public_key().jwk() + "]}");
        ASSERT_TRUE(set && set->size() == 1) << line;
        const Bytes message = *decode_base64url(fields[3]);
        EXPECT_EQ(set->front().key.verify(as_text(message), *decode_base64url(fields[4])),
                  fields[5] == "valid")
            << fields[1] << ' ' << fields[0];
        ++cases;
    }
    EXPECT_GE(cases, 28);
}

} // namespace
} // namespace claviger::offline
