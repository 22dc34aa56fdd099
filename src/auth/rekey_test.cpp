// SPDX-License-Identifier: Apache-2.0
// Another master key, interrupted after every step: a start with what is in place works, and what
// was hashed and sealed before stays good.
#include "auth/rekey.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/test_world.h"
#include "store/backup.h"
#include "store/data_directory.h"
#include "store/restore.h"
#include "store/samples.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// What a server opens, over a data directory with its own master key file.
struct Opened {
    std::unique_ptr<SqliteStore> sqlite;
    FailingStore store;
    SystemRandom random;
    FakeClock clock;
    NullLog log;
    MasterKey master_key;
    FoundRootKey root;
    KeyVault vault{root.key, random};
    Pepper pepper{root.key};
    Directory directory{vault, "127.0.0.1", log};
    IdentityProviders providers{store, root.key, clock, random};
    std::optional<RekeyStep> stop_after;
    Rekey rekey;

    Opened(std::unique_ptr<SqliteStore> opened, MasterKey key, FoundRootKey found,
           MasterKeyOrigin origin)
        : sqlite(std::move(opened)), store(*sqlite), master_key(std::move(key)),
          root(std::move(found)),
          rekey(store, root.key, master_key, std::move(origin), vault, providers, clock, random,
                [this](RekeyStep step) -> Result<void> {
                    return step == stop_after ? fail(ErrorCode::unavailable, "interrupted")
                                              : Result<void>{};
                }) {}
};

class RekeyTest : public ::testing::Test {
protected:
    RekeyTest() {
        SystemRandom random;
        static_cast<void>(MasterKey::load(own_file_, true, random));
    }

    /// As the start of a server does it.
    Result<std::unique_ptr<Opened>> open(MasterKey key, MasterKeyOrigin origin) {
        SystemRandom random;
        auto sqlite = TRY(SqliteStore::open(data_.path()));
        FoundRootKey root = TRY(find_root_key(*sqlite, key, random, Timestamp{}));
        auto opened = std::make_unique<Opened>(std::move(sqlite), std::move(key), std::move(root),
                                               std::move(origin));
        TRY(opened->directory.attach(opened->store));
        TRY(keep_root_key(opened->store, opened->root));
        return opened;
    }
    Result<std::unique_ptr<Opened>> start() {
        SystemRandom random;
        MasterKey key = TRY(MasterKey::load(own_file_, false, random));
        return open(std::move(key), {own_file_.string(), own_file_});
    }
    Result<std::unique_ptr<Opened>> start_with(const std::string& digits) {
        MasterKey key = TRY(MasterKey::parse(digits));
        return open(std::move(key), {"the environment", {}});
    }

    /// A tenant with a signing key and the hash of a secret.
    void fill(Opened& server) {
        const Tenant tenant{TenantId{1}, "runai", "", "Run", true, {}, {}};
        ASSERT_TRUE(server.store.write([&](Transaction& transaction) -> Result<void> {
            TRY(transaction.tenants().put(tenant));
            const SigningKey key = TRY(server.vault.generate(tenant.id, {}, TokenSettings{}, {}));
            return transaction.signing_keys().put(key);
        }));
        hash_ = server.pepper.keyed_hash("client", "secret");
    }
    /// Everything of before opens, and hashes come out the same.
    void expect_all_good(Opened& server) {
        EXPECT_EQ(server.pepper.keyed_hash("client", "secret"), hash_);
        const auto report = server.rekey.check();
        ASSERT_TRUE(report) << report.error().detail();
        EXPECT_THAT(report->problems, IsEmpty());
        EXPECT_EQ(report->signing_keys, 1U);
        EXPECT_EQ(report->in_force, id_in_file());
    }
    std::string id_in_file() const {
        SystemRandom random;
        const auto key = MasterKey::load(own_file_, false, random);
        return key ? key->id() : "none";
    }
    std::string digits_in_file() const {
        std::ifstream stream(own_file_);
        std::string line;
        std::getline(stream, line);
        return line;
    }
    static std::vector<std::string> ids_in(Store& store) {
        std::vector<std::string> ids;
        const auto sealed = read_root_keys(store);
        for (const SealedRootKey& key : *sealed) {
            ids.push_back(key.master_key_id);
        }
        return ids;
    }
    bool is_there(std::string_view ending) const {
        return std::filesystem::exists(own_file_.string() + std::string(ending));
    }

    TemporaryDirectory data_;
    std::filesystem::path own_file_ = data_.path() / "master.key";
    Digest hash_{};
};

TEST_F(RekeyTest, AnotherKeyIsMadeAndEverythingOpens) {
    const auto server = *start();
    fill(*server);
    const std::string before = id_in_file();
    const auto done = server->rekey.run(std::nullopt);
    ASSERT_TRUE(done) << done.error().detail();
    EXPECT_TRUE(done->is_in_force);
    EXPECT_EQ(done->old_id, before);
    EXPECT_EQ(done->new_id, id_in_file());
    EXPECT_NE(done->new_id, before);
    EXPECT_THAT(ids_in(server->store), ::testing::ElementsAre(done->new_id));
    EXPECT_FALSE(is_there(".new") || is_there(".old"));
    EXPECT_EQ(std::filesystem::status(own_file_).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    expect_all_good(*server);
    const auto reader = *server->store.open_audit_reader();
    std::vector<std::string> events;
    ASSERT_TRUE(reader->for_each(TenantId{1}, 1, 2, [&](const AuditEntry& entry) -> Result<void> {
        events.push_back(entry.payload);
        return {};
    }));
    EXPECT_THAT(events,
                ::testing::ElementsAre(AllOf(HasSubstr("master-key"), HasSubstr("accepted")),
                                       AllOf(HasSubstr("master-key"), HasSubstr("in force"))));
}

TEST_F(RekeyTest, AnInterruptionAfterAnyStepIsHarmlessAndCanBeFinished) {
    for (const RekeyStep step :
         {RekeyStep::written, RekeyStep::accepted, RekeyStep::replaced, RekeyStep::in_force}) {
        const int number = static_cast<int>(step);
        const std::string before = id_in_file();
        {
            const auto server = *start();
            if (hash_ == Digest{}) {
                fill(*server);
            }
            server->stop_after = step;
            ASSERT_FALSE(server->rekey.run(std::nullopt)) << number;
            expect_all_good(*server);
        }
        const auto server = start();
        ASSERT_TRUE(server) << number << ": " << server.error().detail();
        expect_all_good(**server);
        const auto done = (*server)->rekey.run(std::nullopt);
        ASSERT_TRUE(done) << number << ": " << done.error().detail();
        EXPECT_NE(id_in_file(), before) << number;
        EXPECT_THAT(ids_in((*server)->store), ::testing::ElementsAre(id_in_file())) << number;
        EXPECT_FALSE(is_there(".new") || is_there(".old")) << number;
        expect_all_good(**server);
    }
}

TEST_F(RekeyTest, AStartFinishesWhatWasReplaced) {
    for (const RekeyStep step : {RekeyStep::replaced, RekeyStep::in_force}) {
        {
            const auto server = *start();
            if (hash_ == Digest{}) {
                fill(*server);
            }
            server->stop_after = step;
            ASSERT_FALSE(server->rekey.run(std::nullopt));
        }
        EXPECT_TRUE(is_there(".old"));
        const auto server = *start();
        const auto note = server->rekey.finish_interrupted();
        ASSERT_TRUE(note) << note.error().detail();
        EXPECT_THAT(ids_in(server->store), ::testing::ElementsAre(id_in_file()));
        EXPECT_FALSE(is_there(".old"));
        expect_all_good(*server);
    }
}

TEST_F(RekeyTest, AFailureOfTheStoreAtAnyCallIsHarmless) {
    auto server = *start();
    fill(*server);
    for (std::uint64_t call = 1;; ++call) {
        server->store.fail_call(call);
        const auto done = server->rekey.run(std::nullopt);
        server->store.fail_call(0);
        expect_all_good(*server);
        if (done) {
            EXPECT_GT(call, 3U) << "each failed in another step";
            break;
        }
        server.reset();
        server = *start();
        expect_all_good(*server);
    }
}

TEST_F(RekeyTest, AKeyFileThatACrashLeftHalfIsMadeAnew) {
    const auto server = *start();
    fill(*server);
    std::ofstream(own_file_.string() + ".new") << "0011";
    std::filesystem::permissions(own_file_.string() + ".new",
                                 std::filesystem::perms::owner_read |
                                     std::filesystem::perms::owner_write);
    ASSERT_TRUE(server->rekey.run(std::nullopt));
    expect_all_good(*server);
}

TEST_F(RekeyTest, TheOperatorsOwnNewKeyIsTaken) {
    const auto server = *start();
    fill(*server);
    const std::optional<Secret> key(std::in_place, std::string(64, 'c'));
    ASSERT_TRUE(server->rekey.run(key));
    EXPECT_EQ(digits_in_file(), std::string(64, 'c'));
    const auto again = server->rekey.run(key);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::invalid_request);
    EXPECT_FALSE(server->rekey.run(Secret(std::string("0011"))));
    expect_all_good(*server);
}

TEST_F(RekeyTest, AnInterruptedChangeIsNotMixedWithAnother) {
    const auto server = *start();
    fill(*server);
    server->stop_after = RekeyStep::accepted;
    ASSERT_FALSE(server->rekey.run(Secret(std::string(64, 'c'))));
    server->stop_after.reset();
    const auto other = server->rekey.run(Secret(std::string(64, 'd')));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::conflict);
    ASSERT_TRUE(server->rekey.run(std::nullopt));
    EXPECT_EQ(digits_in_file(), std::string(64, 'c'));
}

TEST_F(RekeyTest, AKeyFromElsewhereIsAcceptedBesideTheOldOneUntilItIsInPlace) {
    const std::string old_key(64, 'a');
    const std::string new_key(64, 'b');
    {
        const auto server = *start_with(old_key);
        fill(*server);
        const auto none = server->rekey.run(std::nullopt);
        ASSERT_FALSE(none);
        EXPECT_THAT(none.error().detail(), HasSubstr("--new-master-key-file"));
        const auto done = server->rekey.run(Secret(new_key));
        ASSERT_TRUE(done) << done.error().detail();
        EXPECT_FALSE(done->is_in_force);
        EXPECT_THAT(server->rekey.check()->accepted, ::testing::ElementsAre(done->new_id));
    }
    {
        const auto server = start_with(old_key);
        ASSERT_TRUE(server);
        EXPECT_THAT(*(*server)->rekey.finish_interrupted(), HasSubstr("put it in place"));
        EXPECT_THAT(ids_in((*server)->store), SizeIs(2));
    }
    {
        const auto server = start_with(new_key);
        ASSERT_TRUE(server);
        EXPECT_EQ((*server)->pepper.keyed_hash("client", "secret"), hash_);
        EXPECT_THAT(*(*server)->rekey.finish_interrupted(), HasSubstr("accepted no more"));
        EXPECT_THAT(*(*server)->rekey.finish_interrupted(), IsEmpty());
    }
    const auto refused = start_with(old_key);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail(), AllOf(StartsWith("the master key is another one"),
                                                HasSubstr(MasterKey::parse(old_key)->id()),
                                                HasSubstr(MasterKey::parse(new_key)->id())));
}

TEST_F(RekeyTest, AnotherNewKeyTakesThePlaceOfOneThatNeverCameIntoForce) {
    const auto server = *start_with(std::string(64, 'a'));
    fill(*server);
    ASSERT_TRUE(server->rekey.run(Secret(std::string(64, 'b'))));
    ASSERT_TRUE(server->rekey.run(Secret(std::string(64, 'c'))));
    EXPECT_THAT(ids_in(server->store),
                ::testing::ElementsAre(MasterKey::parse(std::string(64, 'a'))->id(),
                                       MasterKey::parse(std::string(64, 'c'))->id()));
}

TEST_F(RekeyTest, AClockThatWasSetBackDoesNotMakeTheOldKeyTheNewerOne) {
    const auto server = *start_with(std::string(64, 'a'));
    fill(*server);
    server->clock.set(Timestamp::from_seconds(-1'000'000));
    ASSERT_TRUE(server->rekey.run(Secret(std::string(64, 'b'))));
    EXPECT_THAT(*server->rekey.finish_interrupted(), HasSubstr("put it in place"));
    EXPECT_THAT(ids_in(server->store), SizeIs(2));
}

TEST_F(RekeyTest, ABackupNeedsTheMasterKeyOfItsTime) {
    const auto hash = [](std::span<const std::uint8_t> bytes) { return sha256(bytes); };
    const std::filesystem::path file = data_.path() / "backup";
    const std::string old_key = digits_in_file();
    {
        const auto server = *start();
        fill(*server);
        const auto audit = SqliteAccessEventLog::open(data_.path(), chain_hash);
        ASSERT_TRUE(audit);
        ASSERT_TRUE(back_up(data_.path(), file, Timestamp{}, hash));
        ASSERT_TRUE(server->rekey.run(std::nullopt));
    }
    {
        const auto directory = DataDirectory::open(data_.path());
        ASSERT_TRUE(directory);
        ASSERT_TRUE(restore(file, *directory, Timestamp{}, hash));
    }
    const auto refused = start();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail(), HasSubstr("needs the master key of its time"));
    const auto server = start_with(old_key);
    ASSERT_TRUE(server) << server.error().detail();
    EXPECT_EQ((*server)->pepper.keyed_hash("client", "secret"), hash_);
}

TEST_F(RekeyTest, ADirectoryFromBeforeKeepsItsHashesAndBoxes) {
    const std::string key(64, 'a');
    {
        // As it was: everything derived from the master key, no record of a root key.
        const auto server = *start_with(key);
        const MasterKey master_key = *MasterKey::parse(key);
        const RootKey of_old = RootKey::of(master_key);
        const KeyVault vault(of_old, server->random);
        ASSERT_TRUE(server->store.write([&](Transaction& transaction) -> Result<void> {
            TRY(transaction.root_keys().remove(master_key.id()));
            TRY(transaction.tenants().put({TenantId{1}, "runai", "", "Run", true, {}, {}}));
            const SigningKey row = TRY(vault.generate(TenantId{1}, {}, TokenSettings{}, {}));
            return transaction.signing_keys().put(row);
        }));
        hash_ = Pepper(of_old).keyed_hash("client", "secret");
    }
    EXPECT_FALSE(start_with(std::string(64, 'b'))) << "its signing key does not open";
    {
        const auto server = start_with(key);
        ASSERT_TRUE(server) << server.error().detail();
        EXPECT_EQ((*server)->pepper.keyed_hash("client", "secret"), hash_);
        ASSERT_TRUE((*server)->rekey.run(Secret(std::string(64, 'b'))));
    }
    const auto server = start_with(std::string(64, 'b'));
    ASSERT_TRUE(server) << server.error().detail();
    EXPECT_EQ((*server)->pepper.keyed_hash("client", "secret"), hash_);
    EXPECT_EQ((*server)->directory.current()->tenants.front()->keys.keys().size(), 1U);
}

TEST_F(RekeyTest, TwoDirectoriesWithOneMasterKeyHaveDifferentRootKeys) {
    const auto server = *start_with(std::string(64, 'a'));
    EXPECT_FALSE(server->root.key.is_same(RootKey::of(server->master_key)));
    const TemporaryDirectory other;
    const auto store = *SqliteStore::open(other.path());
    EXPECT_FALSE(find_root_key(*store, server->master_key, server->random, {})
                     ->key.is_same(server->root.key));
}

TEST_F(RekeyTest, ARecordThatWasChangedDoesNotOpen) {
    const auto server = *start_with(std::string(64, 'a'));
    SealedRootKey sealed = read_root_keys(server->store)->front();
    ASSERT_TRUE(RootKey::open(sealed, server->master_key));
    sealed.box.back() ^= 1;
    EXPECT_FALSE(RootKey::open(sealed, server->master_key));
    sealed.box.back() ^= 1;
    sealed.master_key_id = MasterKey::parse(std::string(64, 'b'))->id();
    EXPECT_FALSE(RootKey::open(sealed, server->master_key)) << "moved to another key's place";
}

TEST_F(RekeyTest, TheCheckNamesWhatDoesNotOpen) {
    const auto server = *start();
    fill(*server);
    ASSERT_TRUE(server->store.write([&](Transaction& transaction) -> Result<void> {
        auto keys = TRY(transaction.signing_keys().all(TenantId{1}));
        keys.front().sealed_private_key.back() ^= 1;
        return transaction.signing_keys().put(keys.front());
    }));
    const auto report = server->rekey.check();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->signing_keys, 0U);
    EXPECT_THAT(report->problems, Contains(HasSubstr("cannot be opened")));
}

} // namespace
} // namespace claviger
