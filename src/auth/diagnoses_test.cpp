// SPDX-License-Identifier: Apache-2.0
#include "auth/diagnoses.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/seeded_random.h"

namespace claviger {
namespace {

constexpr TenantId tenant_a{1};
constexpr TenantId tenant_b{2};

class DiagnosesTest : public ::testing::Test {
protected:
    SeededRandom random{7};
    std::int64_t now = 1'800'000'000;

    RefusedRequest request(const Uuid& id) {
        return {id, Timestamp::from_seconds(now++), "GET", "/api/v1/clusters", "192.0.2.1", false,
                403};
    }
    static Refusal refusal(RefusalReason reason, bool is_known) {
        Refusal made;
        made.reason = reason;
        made.subject.id = is_known ? std::optional(Uuid{}) : std::nullopt;
        return made;
    }
    static Refusal proven() { return refusal(RefusalReason::permission_missing, true); }
    Uuid record(Diagnoses& diagnoses, const Refusal& what, TenantId tenant = tenant_a) {
        const Uuid id = Uuid::make(random);
        diagnoses.record(tenant, request(id), what);
        return id;
    }
};

TEST_F(DiagnosesTest, GiveBackWhatWasKept) {
    Diagnoses diagnoses;
    Refusal what = proven();
    what.subject.access_key = Uuid::make(random);
    what.when = Timestamp{5};
    what.secret = SecretProblem::mistyped;
    what.permission = Permission{*find_resource_type("project"), Action::update};
    what.scope = ScopeId{tenant_a, ScopeType::project, "4711"};
    what.decision = DecisionReason::out_of_reach;
    what.limit = LimitSource::token;
    what.detail = "because";
    what.grant = "password";
    what.retry_after_seconds = 3;
    const Uuid id = record(diagnoses, what);
    const auto found = diagnoses.find(tenant_a, id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->request.id, id);
    EXPECT_EQ(found->request.path, "/api/v1/clusters");
    EXPECT_EQ(found->source_ip, "192.0.2.1");
    EXPECT_EQ(found->refusal.reason, what.reason);
    EXPECT_EQ(found->refusal.subject.id, what.subject.id);
    EXPECT_EQ(found->refusal.subject.access_key, what.subject.access_key);
    EXPECT_EQ(found->refusal.when, what.when);
    EXPECT_EQ(found->refusal.secret, what.secret);
    EXPECT_EQ(found->refusal.permission, what.permission);
    EXPECT_EQ(found->refusal.scope, what.scope);
    EXPECT_EQ(found->refusal.decision, what.decision);
    EXPECT_EQ(found->refusal.limit, what.limit);
    EXPECT_EQ(found->refusal.detail, what.detail);
    EXPECT_EQ(found->refusal.grant, what.grant);
    EXPECT_EQ(found->refusal.retry_after_seconds, 3);
    EXPECT_FALSE(diagnoses.find(tenant_b, id)) << "of another tenant";
    EXPECT_FALSE(diagnoses.find(tenant_a, Uuid::make(random)));
}

TEST_F(DiagnosesTest, CutTextsBetweenCharacters) {
    Diagnoses diagnoses;
    Refusal what = refusal(RefusalReason::not_permitted, false);
    what.detail = "x" + [] {
        std::string text;
        for (int i = 0; i < 200; ++i) {
            text += "é";
        }
        return text;
    }();
    what.subject.name = std::string(1'000, 'n');
    const auto found = diagnoses.find(tenant_a, record(diagnoses, what));
    EXPECT_EQ(found->refusal.detail.size(), 159U) << "160 would end within a character";
    EXPECT_EQ(found->refusal.subject.name.size(), 128U);
}

TEST_F(DiagnosesTest, KeepTheNewestOfEachKind) {
    Diagnoses diagnoses({20, 10, 5, 1 << 20});
    std::vector<Uuid> ids;
    for (int i = 0; i < 50; ++i) {
        ids.push_back(record(diagnoses, proven()));
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(diagnoses.find(tenant_a, ids[i]).has_value(), i >= 30) << i;
    }
    EXPECT_EQ(diagnoses.size(), 20U);
    Uuid last;
    for (int i = 0; i < 1'000; ++i) {
        record(diagnoses, refusal(RefusalReason::unknown_client, false));
        last = record(diagnoses, refusal(RefusalReason::wrong_secret, true));
    }
    EXPECT_EQ(diagnoses.size(), 35U);
    EXPECT_TRUE(diagnoses.find(tenant_a, last));
    EXPECT_TRUE(diagnoses.find(tenant_a, ids[30])) << "strangers push out strangers only";
}

TEST_F(DiagnosesTest, OfTwoWithOneIdGiveTheNewer) {
    Diagnoses diagnoses;
    const Uuid id = Uuid::make(random);
    diagnoses.record(tenant_a, request(id), refusal(RefusalReason::unknown_client, false));
    diagnoses.record(tenant_a, request(id), proven());
    EXPECT_EQ(diagnoses.find(tenant_a, id)->refusal.reason, RefusalReason::permission_missing);
    diagnoses.record(tenant_a, request(id), refusal(RefusalReason::wrong_secret, true));
    EXPECT_EQ(diagnoses.find(tenant_a, id)->refusal.reason, RefusalReason::wrong_secret);
}

TEST_F(DiagnosesTest, AllTenantsShareABoundFairly) {
    const DiagnosisLimits limits{4'096, 1'024, 512, 200'000}; // some hundreds of entries
    Diagnoses diagnoses(limits);
    for (int i = 0; i < 5'000; ++i) {
        record(diagnoses, proven());
    }
    EXPECT_LE(diagnoses.bytes(), limits.all_bytes);
    const std::size_t alone = diagnoses.size();
    EXPECT_GT(alone, 100U);
    std::vector<Uuid> others;
    for (int i = 0; i < 60; ++i) {
        others.push_back(record(diagnoses, proven(), tenant_b));
        record(diagnoses, proven());
    }
    for (const Uuid& id : others) {
        EXPECT_TRUE(diagnoses.find(tenant_b, id)) << "the largest gave room";
    }
    for (std::uint32_t tenant = 10; tenant < 3'000; ++tenant) {
        record(diagnoses, proven(), TenantId{static_cast<std::int32_t>(tenant)});
        ASSERT_LE(diagnoses.bytes(), limits.all_bytes);
    }
    EXPECT_GT(diagnoses.size(), 50U);
}

TEST_F(DiagnosesTest, TakeRefusalsFromManyThreads) {
    Diagnoses diagnoses({64, 64, 64, 60'000});
    std::vector<std::thread> threads;
    for (std::uint8_t number = 0; number < 4; ++number) {
        threads.emplace_back([&diagnoses, number] {
            SeededRandom own{number};
            for (int i = 0; i < 2'000; ++i) {
                const Uuid id = Uuid::make(own);
                diagnoses.record(TenantId{number % 3 + 1},
                                 {id, Timestamp{i}, "GET", "/", "192.0.2.1", false, 401},
                                 refusal(RefusalReason::token_expired, i % 2 == 0));
                const auto found = diagnoses.find(TenantId{number % 3 + 1}, id);
                EXPECT_TRUE(!found || found->request.id == id);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_LE(diagnoses.bytes(), 60'000U);
}

} // namespace
} // namespace claviger
