// SPDX-License-Identifier: Apache-2.0
#include "auth/audit.h"

#include <gtest/gtest.h>

#include "auth/audit_retention.h"
#include "auth/test_world.h"
#include "base/uuid.h"
#include "store/samples.h"
#include "store/sqlite_access_event_log.h"

namespace claviger {
namespace {

using testing::World;

constexpr TenantId tenant{1};
constexpr std::int64_t day = 86'400;
constexpr std::int64_t long_enough = 1'000'000; // milliseconds

AuditEvent event_at(Timestamp at, std::string_view action = audit_action::sign_in) {
    AuditEvent event;
    event.tenant = tenant;
    event.at = at;
    event.action = action;
    event.subject = "ci";
    return event;
}

TEST(AuditPayload, OnlyRefreshedTokensAreUnlisted) {
    for (const std::string_view action :
         {audit_action::create, audit_action::update, audit_action::remove, audit_action::sign_in,
          audit_action::sign_out, audit_action::reset_password, audit_action::refresh}) {
        AuditEvent event = event_at({}, action);
        event.subject = R"("action":"refresh")"; // nobody hides by their name
        event.entity_type = "project";
        event.entity_name = R"(,"action":"refresh")";
        EXPECT_EQ(audit_payload(event).contains(unlisted_mark), action == audit_action::refresh);
    }
}

TEST(AuditPayload, SaysWhichClusterAndWhichStatus) {
    World world;
    Caller admin = world.admin();
    admin.origin.success = 201;
    const OrgUnit cluster =
        world.units.create(admin, {ScopeType::cluster, tenant_scope(tenant), "east", "", "{}"})
            .value();
    admin.state = world.state();
    const OrgUnit department =
        world.units.create(admin, {ScopeType::department, cluster.id, "d", "", "{}"}).value();
    admin.state = world.state();
    ASSERT_TRUE(world.units.create(admin, {ScopeType::project, department.id, "p", "", "{}"}));
    admin.state = world.state();
    ASSERT_TRUE(world.rules.create(
        admin, {{SubjectType::user, "a@b.example"}, {tenant, 7}, department.id}));
    admin.origin.success = 204;
    ASSERT_TRUE(world.units.remove(admin, cluster.id, true));
    int count = 0;
    const auto reader = world.memory.open_audit_reader().value();
    ASSERT_TRUE(reader->for_each(tenant, 3, 1'000, [&](const AuditEntry& entry) -> Result<void> {
        const std::string end =
            R"("cluster_id":")" + cluster.id.value + R"(","cluster_name":"east")";
        EXPECT_NE(entry.payload.find(end), std::string::npos) << entry.payload;
        const char* status = entry.payload.contains(R"("action":"delete")") ? "204" : "201";
        EXPECT_NE(entry.payload.find(R"("http_status_code":)" + std::string(status)),
                  std::string::npos)
            << entry.payload;
        ++count;
        return {};
    }));
    EXPECT_EQ(count, 9); // 5 made with the default department, 4 units deleted
}

class RetentionTest : public ::testing::Test {
protected:
    void grant_on_each_of(int days) {
        for (int i = 0; i < days; ++i) {
            const AuditEvent event = event_at(world.clock.now());
            ASSERT_TRUE(world.events.append(tenant, event.at, audit_payload(event)));
            ASSERT_TRUE(world.accounts.create(world.admin(), "sa-" + std::to_string(++made_)));
            world.clock.advance_seconds(day);
        }
    }
    AuditReport report() { return verify_audit(world.memory, world.events, tenant).value(); }

    World world;
    const std::array<TenantId, 1> tenants{tenant};
    int made_ = 0;
};

TEST_F(RetentionTest, RemovesWhatIsTooOldAndTheRestVerifies) {
    AuditRetention retention(world.memory, world.events, world.clock, 90);
    grant_on_each_of(100);
    ASSERT_TRUE(retention.run(tenants, long_enough));
    EXPECT_TRUE(report().intact());
    EXPECT_EQ(report().accesses.removed, 10U);
    EXPECT_EQ(report().accesses.entries, 90U);
    EXPECT_EQ(report().changes.removed, 12U); // with the tenant and its administrator
    EXPECT_EQ(report().changes.entries, 90U);
    grant_on_each_of(200);
    ASSERT_TRUE(retention.run(tenants, long_enough));
    EXPECT_TRUE(report().intact());
    EXPECT_EQ(report().accesses.removed, 210U);
    world.clock.advance_seconds(91 * day);
    ASSERT_TRUE(retention.run(tenants, long_enough));
    EXPECT_TRUE(report().intact());
    EXPECT_EQ(report().accesses.entries, 0U);
    grant_on_each_of(1);
    EXPECT_TRUE(report().intact());
    EXPECT_EQ(report().accesses.entries, 1U);
}

TEST_F(RetentionTest, LooksOnceAnHour) {
    AuditRetention retention(world.memory, world.events, world.clock, 1);
    ASSERT_TRUE(retention.run(tenants, long_enough)); // at start
    const AuditEvent old = event_at(world.clock.now().plus_seconds(-2 * day));
    ASSERT_TRUE(world.events.append(tenant, old.at, audit_payload(old)));
    world.clock.advance_seconds(3'599);
    ASSERT_TRUE(retention.run(tenants, long_enough));
    EXPECT_EQ(report().accesses.removed, 0U);
    world.clock.advance_seconds(1);
    ASSERT_TRUE(retention.run(tenants, long_enough));
    EXPECT_EQ(report().accesses.removed, 1U);
}

TEST_F(RetentionTest, KeepsForEver) {
    AuditRetention retention(world.memory, world.events, world.clock, 0);
    grant_on_each_of(3);
    world.clock.advance_seconds(100'000 * day);
    ASSERT_TRUE(retention.run(tenants, long_enough));
    EXPECT_EQ(report().accesses.removed, 0U);
}

TEST_F(RetentionTest, GoesOnWhereTheTimeWasUp) {
    testing::TemporaryDirectory directory;
    const auto log = SqliteAccessEventLog::open(directory.path(), chain_hash).value();
    AuditTicket last = 0;
    for (int i = 0; i < 3'000; ++i) {
        const AuditEvent event = event_at(world.clock.now());
        last = log->append(tenant, event.at, audit_payload(event)).value();
    }
    ASSERT_EQ(log->wait(last), Durability::durable);
    world.clock.advance_seconds(2 * day);
    AuditRetention retention(world.memory, *log, world.clock, 1);
    const auto left = [&] {
        const auto reader = log->open_audit_reader().value();
        return reader->head(tenant)->number - reader->anchor(tenant)->number;
    };
    std::uint64_t before = left();
    int rounds = 0;
    while (before > 0) {
        ASSERT_TRUE(retention.run(tenants, 0)); // no time at all: one step
        const std::uint64_t now = left();
        EXPECT_LE(before - now, 1'024U);
        EXPECT_TRUE(rounds == 0 || now < before); // the first round was of the changes
        before = now;
        ++rounds;
    }
    EXPECT_LE(rounds, 4);
    EXPECT_TRUE(verify_audit(world.memory, *log, tenant)->intact());
}

/// A log of ten events, and what somebody does to its file.
ChainReport report_after(const std::string& sql) {
    testing::TemporaryDirectory directory;
    World world;
    {
        const auto log = SqliteAccessEventLog::open(directory.path(), chain_hash).value();
        AuditTicket last = 0;
        for (int i = 0; i < 10; ++i) {
            const AuditEvent event = event_at(testing::at(i));
            last = log->append(tenant, event.at, audit_payload(event)).value();
        }
        EXPECT_EQ(log->wait(last), Durability::durable);
        EXPECT_EQ(log->remove_oldest(tenant, testing::at(3)).value(), 3U);
    }
    const auto file = directory.path() / audit_file_name;
    EXPECT_TRUE(
        Connection::open(file, Connection::Mode::read_write).value()->execute(sql).has_value());
    const auto log = SqliteAccessEventLog::open(directory.path(), chain_hash).value();
    return verify_audit(world.memory, *log, tenant)->accesses;
}

TEST(VerifyAudit, AChainThatWasShortenedByOthersIsBroken) {
    const ChainReport right = report_after("SELECT 1");
    EXPECT_EQ(right.removed, 3U);
    EXPECT_EQ(right.entries, 7U);
    EXPECT_FALSE(right.broken_at);
    const std::string first = std::to_string((std::int64_t{1} << 40) + 4);
    for (const std::string& sql :
         {std::string("DELETE FROM event_anchor"), "DELETE FROM access_event WHERE id = " + first,
          std::string("UPDATE event_anchor SET number = 4"),
          std::string("UPDATE event_anchor SET hash = zeroblob(32)")}) {
        EXPECT_TRUE(report_after(sql).broken_at) << sql;
    }
}

} // namespace
} // namespace claviger
