// SPDX-License-Identifier: Apache-2.0
// What every backend of Store must do with revocations, and with what completes a work.
#include "store/store_suite.h"

namespace claviger {
namespace {

using namespace testing;

template <class Kind>
class RevocationRowsTest : public StoreTest<Kind> {};
TYPED_TEST_SUITE(RevocationRowsTest, Backends);

TYPED_TEST(RevocationRowsTest, RevocationsAreNumberedByTenantWithoutGaps) {
    const auto one = revocation(first, 1, at(100));
    const auto two = revocation(first, 2, at(50));
    const auto other = revocation(second, 1, at(100));
    for (const Row& row : {Row(one), Row(other), Row(two)}) {
        this->must(put(this->store(), row));
    }
    EXPECT_EQ(this->code_of(put(this->store(), revocation(first, 2, at(100)))),
              ErrorCode::internal);
    EXPECT_EQ(this->code_of(put(this->store(), revocation(first, 4, at(100)))),
              ErrorCode::internal);
    this->reopen();
    const auto texts = [&](TenantId tenant, std::uint64_t after, std::size_t most) {
        Texts found;
        const auto rows = this->store().revocations(tenant, after, most);
        for (const Revocation& row : rows.value()) {
            found.push_back(text_of(row));
        }
        return found;
    };
    EXPECT_EQ(texts(first, 0, 9), (Texts{text_of(one), text_of(two)}));
    EXPECT_EQ(texts(first, 1, 9), Texts{text_of(two)});
    EXPECT_EQ(texts(first, 0, 1), Texts{text_of(one)});
    EXPECT_EQ(texts(second, 0, 9), Texts{text_of(other)});
    const Texts all = loaded(this->store());
    EXPECT_EQ(Texts(all.end() - 3, all.end()), (Texts{text_of(one), text_of(two), text_of(other)}));
}

TYPED_TEST(RevocationRowsTest, ExpiredRevocationsAreRemovedButATenantsLast) {
    for (const Row& row : {Row(revocation(first, 1, at(30))), Row(revocation(first, 2, at(99))),
                           Row(revocation(first, 3, at(20))), Row(revocation(first, 4, at(10))),
                           Row(revocation(second, 1, at(10)))}) {
        this->must(put(this->store(), row));
    }
    const auto expired = [](Timestamp now, std::size_t most) {
        return [=](auto& t) { return t.revocations().expired(now, most); };
    };
    EXPECT_EQ(this->found_all(expired(at(30), 9)), (Texts{text_of(revocation(first, 3, at(20))),
                                                          text_of(revocation(first, 1, at(30)))}));
    EXPECT_EQ(this->found_all(expired(at(30), 1)), Texts{text_of(revocation(first, 3, at(20)))});
    std::vector<std::string> heard;
    this->store().set_commit_listener([&](std::uint64_t, std::span<const Row> rows) {
        for (const Row& row : rows) {
            heard.push_back(text_of(row));
        }
    });
    auto old = revocation(first, 1, at(30));
    old.deleted_at = at(31);
    this->must(this->store().write(
        [&](Transaction& transaction) { return transaction.revocations().remove(old); }));
    EXPECT_EQ(heard, Texts{text_of(old)});
    this->store().set_commit_listener({});
    this->reopen();
    EXPECT_EQ(this->found_all(expired(at(30), 9)), Texts{text_of(revocation(first, 3, at(20)))});
    EXPECT_EQ(this->store().revocations(first, 0, 9).value().size(), 3U);
    this->must(put(this->store(), revocation(first, 5, at(1))));
}

TYPED_TEST(RevocationRowsTest, TheCompletionIsPartOfEachWork) {
    bool fails = false;
    this->store().set_completion(
        [&](Transaction& transaction, std::span<const Row> rows) -> Result<void> {
            const auto count = static_cast<std::uint32_t>(rows.size());
            if (count == 0) {
                return {};
            }
            const std::string email = std::to_string(count) + "@example.com";
            TRY(transaction.users().put(user(first, 100 + count, email)));
            return fails ? fail(ErrorCode::access_denied, "no") : Result<void>{};
        });
    std::size_t heard = 0;
    this->store().set_commit_listener(
        [&](std::uint64_t, std::span<const Row> rows) { heard = rows.size(); });
    this->must(this->store().write([](Transaction& transaction) -> Result<void> {
        TRY(transaction.service_accounts().put(account(first, 1, "one")));
        return transaction.service_accounts().put(account(first, 2, "two"));
    }));
    EXPECT_EQ(heard, 3U);
    EXPECT_NE(this->found([](auto& t) { return t.users().find({first, uuid(102)}); }), "none");
    fails = true;
    EXPECT_EQ(this->code_of(put(this->store(), account(first, 3, "three"))),
              ErrorCode::access_denied);
    this->store().set_completion({});
    EXPECT_EQ(this->found([](auto& t) { return t.service_accounts().find({first, uuid(3)}); }),
              "none");
    this->store().set_commit_listener({});
}

} // namespace
} // namespace claviger
