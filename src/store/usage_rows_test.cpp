// SPDX-License-Identifier: Apache-2.0
// What every backend of Store must do with what was used.
#include <gmock/gmock.h>

#include "store/store_suite.h"

namespace claviger {
namespace {

using namespace testing;

const Credential robot{CredentialKind::service_account, uuid(1)};
const Credential laptop{CredentialKind::access_key, uuid(2)};
const Uuid owner = uuid(3);

UsageRow row(const Credential& credential, std::int32_t day, const std::string& project,
             Bytes permissions, TenantId tenant = first) {
    return {
        credential, owner, Day{day}, {tenant, ScopeType::project, project}, std::move(permissions)};
}

std::string text(const UsageRow& of) {
    return detail::join(detail::number(of.credential.kind), of.credential.id.text(),
                        of.owner.text(), std::to_string(of.day.number), detail::text(of.scope),
                        hex(of.permissions));
}

template <class Kind>
class UsageRowsTest : public StoreTest<Kind> {
protected:
    UsageRows& usage() { return this->store().usage(); }
    void merge(const std::vector<UsageRow>& rows) { this->must(usage().merge(rows)); }
    Texts since(TenantId tenant, std::int32_t from) {
        Texts found;
        this->must(usage().for_each_since(
            tenant, Day{from}, [&](const UsageRow& visited) { found.push_back(text(visited)); }));
        return found;
    }
    Texts of(const Credential& credential, std::int32_t from, std::int32_t to) {
        Texts found;
        this->must(
            usage().for_each_of(first, credential, Day{from}, Day{to},
                                [&](const UsageRow& visited) { found.push_back(text(visited)); }));
        return found;
    }
};
TYPED_TEST_SUITE(UsageRowsTest, Backends);

TYPED_TEST(UsageRowsTest, BitsAreAddedToWhatIsThere) {
    this->merge({row(robot, 5, "7", {1}), row(robot, 5, "8", {2}), row(robot, 6, "7", {4})});
    this->merge(
        {row(robot, 5, "7", {2, 0, 128}), row(robot, 5, "7", {8}), row(robot, 6, "7", {4})});
    const Texts expected{text(row(robot, 5, "7", {11, 0, 128})), text(row(robot, 5, "8", {2})),
                         text(row(robot, 6, "7", {4}))};
    EXPECT_EQ(this->since(first, 0), expected);
    this->reopen();
    EXPECT_EQ(this->since(first, 0), expected);
    EXPECT_EQ(this->since(first, 6), Texts{expected.back()});
}

TYPED_TEST(UsageRowsTest, IsReadByCredentialAndDay) {
    const Credential same_id{CredentialKind::user, robot.id};
    this->merge({row(robot, 5, "7", {1}), row(robot, 6, "7", {2}), row(robot, 7, "7", {3}),
                 row(laptop, 6, "7", {4}), row(same_id, 6, "7", {5})});
    EXPECT_EQ(this->of(robot, 5, 6),
              (Texts{text(row(robot, 5, "7", {1})), text(row(robot, 6, "7", {2}))}));
    EXPECT_EQ(this->of(laptop, 0, 99), Texts{text(row(laptop, 6, "7", {4}))});
    EXPECT_EQ(this->of(robot, 8, 99), Texts{});
    std::vector<std::pair<Credential, std::int32_t>> last;
    const auto uses = this->usage().last_uses(first);
    for (const LastUse& use : uses.value()) {
        last.emplace_back(use.credential, use.day.number);
    }
    EXPECT_THAT(last, ::testing::UnorderedElementsAre(std::pair(robot, 7), std::pair(laptop, 6),
                                                      std::pair(same_id, 6)));
}

TYPED_TEST(UsageRowsTest, TenantsDoNotSeeEachOther) {
    this->merge({row(robot, 5, "7", {1}), row(robot, 5, "7", {2}, second)});
    EXPECT_EQ(this->since(first, 0), Texts{text(row(robot, 5, "7", {1}))});
    EXPECT_EQ(this->since(second, 0), Texts{text(row(robot, 5, "7", {2}, second))});
    EXPECT_EQ(this->of(robot, 0, 99).size(), 1U);
    EXPECT_EQ(this->usage().last_uses(second).value().size(), 1U);
    EXPECT_EQ(this->usage().remove_before(second, Day{6}).value(), 1U);
    EXPECT_EQ(this->since(first, 0).size(), 1U);
}

TYPED_TEST(UsageRowsTest, OldDaysAreRemovedALittleAtATime) {
    std::vector<UsageRow> many;
    for (std::size_t i = 0; i < most_removed_usage + 1; ++i) {
        many.push_back(row(robot, 4, std::to_string(i), {1}));
    }
    many.push_back(row(robot, 5, "7", {1}));
    many.push_back(row(robot, 6, "7", {1}));
    this->merge(many);
    EXPECT_EQ(this->usage().remove_before(first, Day{6}).value(), most_removed_usage);
    EXPECT_EQ(this->usage().remove_before(first, Day{6}).value(), 2U);
    EXPECT_EQ(this->usage().remove_before(first, Day{6}).value(), 0U);
    EXPECT_EQ(this->since(first, 0), Texts{text(row(robot, 6, "7", {1}))});
}

TYPED_TEST(UsageRowsTest, NumbersAreGivenOnceAndTheBeginningStays) {
    const std::vector<std::string> before{"a:read", "b:read"};
    const std::vector<std::string> after{"c:read",
                                         "b:read"}; // one is gone, one new, in other order
    EXPECT_EQ(this->usage().number(before, Day{5}).value().permissions, before);
    this->reopen();
    const UsageNumbers numbers = this->usage().number(after, Day{9}).value();
    EXPECT_EQ(numbers.permissions, (Texts{"a:read", "b:read", "c:read"}));
    EXPECT_EQ(numbers.since.number, 5);
}

TYPED_TEST(UsageRowsTest, IsNoChangeThatListenersHear) {
    bool told = false;
    this->store().set_commit_listener([&](std::uint64_t, std::span<const Row>) { told = true; });
    ASSERT_TRUE(this->usage().number(Texts{"a:read"}, Day{5}));
    this->merge({row(robot, 5, "7", {1})});
    ASSERT_TRUE(this->usage().remove_before(first, Day{6}));
    EXPECT_FALSE(told);
}

TEST(SqliteUsageTest, ABatchIsKeptWholeOrNotAtAll) {
    SqliteBackend backend;
    ASSERT_TRUE(put(backend.store(), tenant(first)));
    const std::vector<UsageRow> rows{row(robot, 5, "7", {1}), row(robot, 5, "7", {1}, TenantId{9})};
    EXPECT_FALSE(backend.store().usage().merge(rows)) << "there is no such tenant";
    int visits = 0;
    ASSERT_TRUE(
        backend.store().usage().for_each_since(first, Day{0}, [&](const UsageRow&) { ++visits; }));
    EXPECT_EQ(visits, 0);
}

TEST(SqliteUsageTest, ADatabaseOfTheSchemaBeforeIsUpgraded) {
    const TemporaryDirectory directory;
    {
        const auto connection =
            Connection::open(directory.path() / "claviger.db", Connection::Mode::read_write);
        ASSERT_TRUE(connection.has_value());
        ASSERT_TRUE(migrate(**connection, store_migrations().first(6)));
        ASSERT_TRUE((*connection)
                        ->execute("INSERT INTO tenant VALUES (1, 'realm', '', 'Tenant', 1, 1, 1, "
                                  "NULL)"));
    }
    const auto store = SqliteStore::open(directory.path());
    ASSERT_TRUE(store.has_value());
    const std::vector<UsageRow> rows{row(robot, 5, "7", {1})};
    EXPECT_TRUE((*store)->usage().merge(rows));
    EXPECT_EQ((*store)->usage().last_uses(first).value().size(), 1U);
}

} // namespace
} // namespace claviger
