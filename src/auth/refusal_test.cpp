// SPDX-License-Identifier: Apache-2.0
// That each refusal says why, as the grants and the verifier make it.
#include "auth/refusal.h"

#include <gtest/gtest.h>

#include <set>

#include "auth/issue_token.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::admin_email;
using testing::World;

TEST(RefusalTexts, AreThereOncePerReason) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < refusal_reason_count; ++i) {
        const ReasonText& text = text_of(static_cast<RefusalReason>(i));
        EXPECT_TRUE(names.insert(text.name).second) << text.name;
        EXPECT_FALSE(text.audit.empty()) << text.name;
        EXPECT_TRUE(text.message.ends_with('.')) << text.name;
        EXPECT_TRUE(text.hint.ends_with('.')) << text.name;
    }
    EXPECT_EQ(text_of(RefusalReason::not_permitted).name, "not-permitted") << "the last one";
    for (std::uint8_t i = 0; i < 7; ++i) {
        const auto reason = static_cast<Ineligible>(i);
        EXPECT_EQ(text_of(reason_of(reason)).audit, name_of(reason));
    }
}

TEST(SecretProblems, AreSeenFromTheFormAlone) {
    for (const auto& [text, added] : {std::pair{"x\n", SecretProblem::line_break},
                                      std::pair{"\r\nx", SecretProblem::line_break},
                                      std::pair{"x ", SecretProblem::white_space},
                                      std::pair{"x \n", SecretProblem::white_space},
                                      std::pair{"'x'", SecretProblem::quotation_marks},
                                      std::pair{"\"x\"\n", SecretProblem::quotation_marks}}) {
        const auto stripped = strip_secret(text);
        ASSERT_TRUE(stripped) << text;
        EXPECT_EQ(stripped->secret, "x") << text;
        EXPECT_EQ(stripped->added, added) << text;
    }
    EXPECT_FALSE(strip_secret("x"));
    EXPECT_FALSE(strip_secret(""));
    EXPECT_EQ(strip_secret(" \n ")->secret, "");
    SystemRandom random;
    const Secret secret = generate_client_secret(random, SecretKind::service_account);
    const std::string whole(secret.reveal());
    EXPECT_EQ(form_of_secret(whole, "clvs_", "clvk_"), SecretProblem::none);
    EXPECT_EQ(form_of_secret(whole, "clvk_", "clvs_"), SecretProblem::of_another_kind);
    EXPECT_EQ(form_of_secret(whole.substr(0, 53), "clvs_", "clvk_"), SecretProblem::mistyped);
    EXPECT_EQ(form_of_secret("hunter2", "clvs_", "clvk_"), SecretProblem::no_generated_secret);
}

class RefusalTest : public ::testing::Test {
protected:
    World world;
    NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");
    Uuid account_id = account.account.id.value;

    GrantOutcome with_secret(std::string_view client, std::string_view secret,
                             std::string_view source = "192.0.2.1") {
        return world.grants.client_credentials(*world.state(), client, secret,
                                               World::origin(source), {});
    }
    static Refusal of(const GrantOutcome& outcome) {
        EXPECT_FALSE(outcome.result);
        EXPECT_TRUE(outcome.refusal);
        return outcome.refusal.value_or(Refusal{});
    }
    Refusal of_token(const std::string& token, std::string_view source = "192.0.2.1",
                     AcceptedTokens accepted = AcceptedTokens::access_tokens) {
        const auto judged = world.verifier.verify(*world.state(), token, accepted, source);
        EXPECT_FALSE(judged);
        return judged ? Refusal{} : judged.error();
    }
    std::string token() { return world.grant(account).result->access_token; }
    NewServiceAccount limited(const char* name, const std::string& limits) {
        return *world.accounts.create(world.admin(), name, limits);
    }
    User admin_row() const { return *world.state()->users.find_by_email(admin_email); }
    void put(const User& user) {
        ASSERT_TRUE(world.store.write(
            [&](Transaction& transaction) { return transaction.users().put(user); }));
    }
    std::string last_event() {
        const auto payloads = testing::payloads_of(world.events, world.state()->tenant.id);
        return payloads.empty() ? "" : payloads.back();
    }
    /// A token of the account with these times, in seconds from now.
    std::string signed_token(std::int64_t issued, std::int64_t not_before) {
        const auto state = world.state();
        const Timestamp now = world.clock.now();
        const OpenedKey* key =
            state->keys.signing_key(KeyPurpose::access_token, world.settings.algorithm, now);
        JwtBuilder builder(key->private_key, key->row.kid, access_token_type);
        builder.add(claim::issuer, root_issuer(world.settings, state->tenant))
            .add(claim::subject, subject_claim(PrincipalKind::service_account, account_id))
            .add(claim::issued_at, now.seconds() + issued)
            .add(claim::not_before, now.seconds() + not_before)
            .add(claim::expiration, now.seconds() + 7'200);
        return builder.sign();
    }
};

// --- clients ------------------------------------------------------------------------------------

TEST_F(RefusalTest, AStrangerIsNamedAsItNamesItself) {
    const Refusal refusal = of(with_secret("nobody", "x"));
    EXPECT_EQ(refusal.reason, RefusalReason::unknown_client);
    EXPECT_EQ(refusal.subject.name, "nobody");
    EXPECT_FALSE(refusal.subject.id);
    EXPECT_EQ(refusal.grant, "client_credentials");
    EXPECT_FALSE(is_proven(refusal));
    EXPECT_EQ(of(with_secret("clvs_Secret in the wrong field", "x")).subject.name, "(unreadable)");
    EXPECT_EQ(of(with_secret("ak-aaaaaaaaaaaaaaaa", "x")).reason, RefusalReason::unknown_client);
}

TEST_F(RefusalTest, AWrongSecretSaysWhetherItIsNearlyRight) {
    const std::string right(account.client_secret.reveal());
    const auto problem = [&](const std::string& secret) {
        const Refusal refusal = of(with_secret("ci-1", secret));
        EXPECT_EQ(refusal.reason, RefusalReason::wrong_secret);
        EXPECT_EQ(refusal.subject.id, account_id);
        EXPECT_FALSE(is_proven(refusal)) << "who knows a name has shown nothing";
        return refusal.secret;
    };
    EXPECT_EQ(problem(right + "\n"), SecretProblem::line_break);
    EXPECT_EQ(problem(right + " "), SecretProblem::white_space);
    EXPECT_EQ(problem("\"" + right + "\""), SecretProblem::quotation_marks);
    EXPECT_EQ(problem(right.substr(1)), SecretProblem::no_generated_secret);
    EXPECT_EQ(problem(right.substr(0, 40)), SecretProblem::mistyped);
    EXPECT_EQ(problem("clvk_x"), SecretProblem::of_another_kind);
    const NewServiceAccount other = limited("ci-2", "{}");
    EXPECT_EQ(problem(std::string(other.client_secret.reveal())), SecretProblem::none);
    EXPECT_EQ(problem(std::string(other.client_secret.reveal()) + "\n"), SecretProblem::mistyped)
        << "not right without it either";
    EXPECT_NE(last_event().find(R"("reason":"wrong secret")"), std::string::npos);
    EXPECT_EQ(last_event().find("clvs_"), std::string::npos);
}

TEST_F(RefusalTest, AWrongSecretOfAnAccessKeyIsAboutItsOwner) {
    const auto made = *world.keys.create(world.admin(), "laptop");
    const std::string right(made.client_secret.reveal());
    const Refusal refusal = of(with_secret(made.key.client_id, right + "\n"));
    EXPECT_EQ(refusal.reason, RefusalReason::wrong_secret);
    EXPECT_EQ(refusal.secret, SecretProblem::line_break);
    EXPECT_EQ(refusal.subject.kind, PrincipalKind::user);
    EXPECT_EQ(refusal.subject.id, world.admin().principal.id);
    EXPECT_EQ(refusal.subject.access_key, made.key.id.value);
}

TEST_F(RefusalTest, LimitsSayWhatTheyRefuse) {
    const auto brief = limited("brief", R"({"expiresAt":"2027-01-15T08:00:10Z"})"); // in 10 s
    const auto bound = limited("bound", R"({"addresses":["10.0.0.0/8"]})");
    const std::string brief_token = world.grant(brief).result->access_token;
    const std::string bound_token = world.grant(bound, "10.1.2.3").result->access_token;
    const Refusal outside = of(world.grant(bound, "192.0.2.9"));
    EXPECT_EQ(outside.reason, RefusalReason::outside_addresses);
    EXPECT_TRUE(is_proven(outside));
    EXPECT_EQ(of_token(bound_token, "192.0.2.9").reason, RefusalReason::outside_addresses);
    world.clock.advance_seconds(25);
    const Refusal expired = of(world.grant(brief));
    EXPECT_EQ(expired.reason, RefusalReason::key_expired);
    EXPECT_EQ(expired.when, parse_rfc3339("2027-01-15T08:00:10Z"));
    EXPECT_EQ(expired.subject.id, brief.account.id.value);
    EXPECT_EQ(of_token(brief_token).reason, RefusalReason::token_expired) << "with its key";
}

TEST_F(RefusalTest, ThrottlingSaysWhyAndForHowLong) {
    Refusal refusal;
    for (int i = 0; i < 30; ++i) {
        refusal = of(with_secret("ci-1", "wrong"));
    }
    EXPECT_EQ(refusal.reason, RefusalReason::wrong_secret) << "it was judged";
    EXPECT_GT(refusal.retry_after_seconds, 0);
    for (int i = 0; i < 30; ++i) {
        refusal = of(world.sign_in(admin_email, "wrong"));
    }
    EXPECT_EQ(refusal.reason, RefusalReason::throttled) << "no password is hashed any more";
    EXPECT_EQ(refusal.subject.id, admin_row().id.value);
    EXPECT_GT(refusal.retry_after_seconds, 0);
    EXPECT_FALSE(is_proven(refusal));
}

// --- users --------------------------------------------------------------------------------------

TEST_F(RefusalTest, UsersLearnWhatTheAnswerHides) {
    EXPECT_EQ(of(world.sign_in("nobody@example.com", "wrong")).reason, RefusalReason::unknown_user);
    const Refusal wrong = of(world.sign_in(admin_email, "wrong"));
    EXPECT_EQ(wrong.reason, RefusalReason::wrong_password);
    EXPECT_EQ(wrong.grant, "password");
    User user = admin_row();
    user.password_is_temporary = true;
    put(user);
    EXPECT_EQ(of(world.sign_in()).reason, RefusalReason::password_is_temporary);
    user.enabled = false;
    put(user);
    const Refusal disabled = of(world.sign_in());
    EXPECT_EQ(disabled.reason, RefusalReason::principal_disabled);
    EXPECT_TRUE(is_proven(disabled));
    user.is_local = false;
    put(user);
    EXPECT_EQ(of(world.sign_in()).reason, RefusalReason::not_a_local_user);
    EXPECT_NE(last_event().find(R"("reason":"wrong password")"), std::string::npos);
}

TEST_F(RefusalTest, RefreshTokensSayWhatBecameOfTheirSession) {
    const auto first = world.sign_in();
    const std::string old = first.result->session->refresh_token;
    EXPECT_EQ(of(world.refresh("clvr_garbage")).reason, RefusalReason::unknown_refresh_token);
    EXPECT_EQ(of(world.refresh(old, "runai-cli")).reason,
              RefusalReason::refresh_token_of_another_client);
    ASSERT_TRUE(world.refresh(old).result);
    const Refusal reused = of(world.refresh(old));
    EXPECT_EQ(reused.reason, RefusalReason::refresh_token_reused);
    EXPECT_EQ(reused.subject.id, admin_row().id.value);
    EXPECT_EQ(of(world.refresh(old)).reason, RefusalReason::session_ended);
    const std::string late = world.sign_in().result->session->refresh_token;
    world.clock.advance_seconds(world.settings.refresh_lifetime_seconds + 1);
    EXPECT_EQ(of(world.refresh(late)).reason, RefusalReason::session_expired);
}

// --- tokens -------------------------------------------------------------------------------------

TEST_F(RefusalTest, ATokenIsNobodysUntilItsSignatureIsGood) {
    std::string changed = token();
    changed[changed.size() - 20] = changed[changed.size() - 20] == 'A' ? 'B' : 'A';
    const Refusal forged = of_token(changed);
    EXPECT_EQ(forged.reason, RefusalReason::wrong_signature);
    EXPECT_FALSE(forged.subject.id);
    EXPECT_EQ(of_token("x").reason, RefusalReason::token_malformed);
    EXPECT_EQ(of_token("x").log_text(), "the token has not three parts");
    EXPECT_EQ(of_token(std::string(20'000, 'a')).reason, RefusalReason::token_malformed);
    ASSERT_TRUE(world.add_tenant("other", "b.example"));
    const auto foreign = world.verifier.verify(*world.state("other"), token(),
                                               AcceptedTokens::access_tokens, "192.0.2.1");
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().reason, RefusalReason::unknown_signing_key);
    EXPECT_FALSE(foreign.error().subject.id) << "nothing of another tenant";
}

TEST_F(RefusalTest, TimesThatDoNotFitAreTold) {
    const std::string good = token();
    world.clock.advance_seconds(3'612);
    const Refusal expired = of_token(good);
    EXPECT_EQ(expired.reason, RefusalReason::token_expired);
    EXPECT_EQ(expired.when, world.clock.now().plus_seconds(-12));
    EXPECT_EQ(expired.subject.id, account_id);
    EXPECT_TRUE(is_proven(expired));
    const Refusal early = of_token(signed_token(400, 0));
    EXPECT_EQ(early.reason, RefusalReason::token_from_the_future);
    EXPECT_EQ(early.when, world.clock.now().plus_seconds(400));
    const Refusal later = of_token(signed_token(0, 500));
    EXPECT_EQ(later.reason, RefusalReason::token_not_valid_yet);
    EXPECT_EQ(later.when, world.clock.now().plus_seconds(500));
}

TEST_F(RefusalTest, ATokenForAnotherPlaceSaysWhich) {
    const std::string good = token();
    world.settings.audience = "https://other.example";
    EXPECT_EQ(of_token(good).reason, RefusalReason::wrong_audience);
    world.settings.public_url = "https://moved.example";
    const Refusal moved = of_token(good);
    EXPECT_EQ(moved.reason, RefusalReason::wrong_issuer);
    EXPECT_EQ(moved.log_text(), "Issuer is not familiar.");
    EXPECT_EQ(moved.subject.id, account_id);
}

TEST_F(RefusalTest, ATokenEndsForReasonsThatAreTold) {
    const std::string id_token = world.sign_in().result->id_token;
    EXPECT_EQ(of_token(id_token).reason, RefusalReason::token_of_another_kind);
    const std::string old = token();
    ASSERT_TRUE(world.revocations.end_account_tokens(world.admin(), account_id));
    EXPECT_EQ(of_token(old).reason, RefusalReason::tokens_revoked);
    const std::string fresh = token();
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), account_id, false));
    EXPECT_EQ(of_token(fresh).reason, RefusalReason::principal_disabled);
    EXPECT_EQ(of(world.grant(account)).reason, RefusalReason::principal_disabled);
    const std::string of_user = world.sign_in().result->access_token;
    const auto jwt = parse_jwt(of_user);
    ASSERT_TRUE(world.revocations.end_token(
        world.admin(), {jwt->token_id, Timestamp::from_seconds(*jwt->expires_at), ""}));
    EXPECT_EQ(of_token(of_user).reason, RefusalReason::token_revoked);
}

} // namespace
} // namespace claviger
