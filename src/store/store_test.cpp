// SPDX-License-Identifier: Apache-2.0
// What every backend of Store must do. The same tests run on each.
#include "store/store.h"

#include <atomic>
#include <thread>

#include "store/failing_store.h"
#include "store/store_suite.h"

namespace claviger {
namespace {

using namespace testing;

TYPED_TEST_SUITE(StoreTest, Backends);

TYPED_TEST(StoreTest, FindsWhatWasPut) {
    const auto row = account(first, 1, "robot");
    const auto person = user(first, 2, "ann@example.com");
    const auto key = signing_key(first, "kid-1");
    this->must(put(this->store(), row));
    this->must(put(this->store(), person));
    this->must(put(this->store(), key));

    EXPECT_EQ(this->found([&](auto& t) { return t.tenants().find(first); }),
              text_of(tenant(first)));
    EXPECT_EQ(this->found_all([&](auto& t) { return t.tenants().all(); }),
              (Texts{text_of(tenant(first)), text_of(tenant(second))}));
    EXPECT_EQ(this->found([&](auto& t) { return t.service_accounts().find(row.id); }),
              text_of(row));
    EXPECT_EQ(
        this->found([&](auto& t) { return t.service_accounts().find_by_name(first, "robot"); }),
        text_of(row));
    EXPECT_EQ(this->found([&](auto& t) { return t.users().find(person.id); }), text_of(person));
    EXPECT_EQ(
        this->found([&](auto& t) { return t.users().find_by_email(first, "ann@example.com"); }),
        text_of(person));
    EXPECT_EQ(this->found_all([&](auto& t) { return t.signing_keys().all(first); }),
              Texts{text_of(key)});
}

TYPED_TEST(StoreTest, AbsentIsNotAnError) {
    EXPECT_EQ(this->found([](auto& t) { return t.tenants().find(TenantId{3}); }), "none");
    EXPECT_EQ(this->found([](auto& t) { return t.service_accounts().find({first, uuid(9)}); }),
              "none");
    EXPECT_EQ(this->found([](auto& t) { return t.users().find_by_email(first, "x@y.z"); }), "none");
    EXPECT_EQ(this->found([](auto& t) { return t.access_rules().find({first, 9}); }), "none");
    EXPECT_TRUE(this->found_all([](auto& t) { return t.signing_keys().all(second); }).empty());
}

TYPED_TEST(StoreTest, PutReplacesTheRowAndItsSecrets) {
    auto row = account(first, 1, "robot");
    this->must(put(this->store(), row));
    row.name = "renamed";
    row.enabled = false;
    row.secrets = {{uuid(77), 3, Digest{9}, at(20)}};
    row.last_login = at(21);
    this->must(put(this->store(), row));
    EXPECT_EQ(this->found([&](auto& t) { return t.service_accounts().find(row.id); }),
              text_of(row));
    EXPECT_EQ(
        this->found([](auto& t) { return t.service_accounts().find_by_name(first, "robot"); }),
        "none");

    auto key = signing_key(first, "kid-1");
    this->must(put(this->store(), key));
    key.state = KeyState::gone;
    key.sealed_private_key.clear();
    key.token_lifetime_seconds = 7200;
    key.activates_at = at(21);
    key.retired_at = at(22);
    key.burned_at = at(23);
    this->must(put(this->store(), key));
    EXPECT_EQ(this->found_all([](auto& t) { return t.signing_keys().all(first); }),
              Texts{text_of(key)});
}

TYPED_TEST(StoreTest, RootKeysComeOldestFirstAndAreRemoved) {
    const auto ids = [&] {
        std::string text;
        this->must(this->store().write([&](Transaction& transaction) -> Result<void> {
            const auto keys = TRY(transaction.root_keys().all());
            for (const SealedRootKey& key : keys) {
                text += key.master_key_id + "=" + hex(key.box) + "@" +
                        std::to_string(key.created_at.seconds() - at(0).seconds()) + " ";
            }
            return {};
        }));
        return text;
    };
    EXPECT_EQ(ids(), "");
    this->must(this->store().write([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.root_keys().put({"b", {1}, at(1)}));
        return transaction.root_keys().put({"a", {2}, at(2)});
    }));
    EXPECT_EQ(ids(), "b=01@1 a=02@2 ");
    const auto refused = this->store().write([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.root_keys().put({"b", {3}, at(3)}));
        TRY(transaction.root_keys().remove("a"));
        TRY(transaction.root_keys().remove("b"));
        return fail(ErrorCode::conflict, "no");
    });
    EXPECT_FALSE(refused);
    EXPECT_EQ(ids(), "b=01@1 a=02@2 ") << "all or nothing";
    this->must(this->store().write(
        [&](Transaction& transaction) { return transaction.root_keys().put({"b", {3}, at(3)}); }));
    EXPECT_EQ(ids(), "a=02@2 b=03@3 ");
    this->must(this->store().write(
        [&](Transaction& transaction) { return transaction.root_keys().remove("a"); }));
    EXPECT_EQ(ids(), "b=03@3 ");
}

TYPED_TEST(StoreTest, DeletedRowsAreNotFoundAndFreeTheirNames) {
    auto row = account(first, 1, "robot");
    auto person = user(first, 2, "ann@example.com");
    for (int round = 0; round < 2; ++round) {
        this->must(put(this->store(), row));
        this->must(put(this->store(), person));
        row.deleted_at = at(30);
        person.deleted_at = at(30);
    }
    EXPECT_EQ(this->found([&](auto& t) { return t.service_accounts().find(row.id); }), "none");
    EXPECT_EQ(
        this->found([](auto& t) { return t.service_accounts().find_by_name(first, "robot"); }),
        "none");
    EXPECT_EQ(this->found([&](auto& t) { return t.users().find(person.id); }), "none");
    EXPECT_EQ(
        this->found([](auto& t) { return t.users().find_by_email(first, "ann@example.com"); }),
        "none");

    const auto again = account(first, 3, "robot");
    this->must(put(this->store(), again));
    this->must(put(this->store(), user(first, 4, "ann@example.com")));
    EXPECT_EQ(
        this->found([](auto& t) { return t.service_accounts().find_by_name(first, "robot"); }),
        text_of(again));
}

TYPED_TEST(StoreTest, NamesAreUniqueWithinTheirTenant) {
    auto& store = this->store();
    this->must(put(store, account(first, 1, "robot")));
    this->must(put(store, user(first, 2, "ann@example.com")));
    this->must(put(store, rule(first, 1, "ann@example.com")));
    EXPECT_EQ(this->code_of(put(store, account(first, 3, "robot"))), ErrorCode::conflict);
    EXPECT_EQ(this->code_of(put(store, user(first, 4, "ann@example.com"))), ErrorCode::conflict);
    EXPECT_EQ(this->code_of(put(store, rule(first, 2, "ann@example.com"))), ErrorCode::conflict);

    this->must(put(store, account(second, 3, "robot")));
    this->must(put(store, user(second, 4, "ann@example.com")));
    this->must(put(store, rule(second, 2, "ann@example.com")));
    this->must(put(store, account(first, 5, "Robot")));

    auto tenant_with_same_realm = tenant(TenantId{3});
    tenant_with_same_realm.realm = tenant(first).realm;
    EXPECT_EQ(this->code_of(put(store, tenant_with_same_realm)), ErrorCode::conflict);
    auto tenant_with_same_host = tenant(TenantId{3});
    tenant_with_same_host.host = tenant(first).host;
    EXPECT_EQ(this->code_of(put(store, tenant_with_same_host)), ErrorCode::conflict);
    auto without_host = tenant(TenantId{3});
    without_host.host.clear();
    this->must(put(store, without_host));
    without_host.id = TenantId{4};
    without_host.realm = "realm4";
    this->must(put(store, without_host));
}

TYPED_TEST(StoreTest, TenantsDoNotSeeEachOther) {
    const auto row = account(first, 1, "robot");
    const auto person = user(first, 2, "ann@example.com");
    this->must(put(this->store(), row));
    this->must(put(this->store(), person));
    this->must(put(this->store(), rule(first, 1, "ann@example.com")));
    this->must(put(this->store(), signing_key(first, "kid-1")));
    EXPECT_EQ(
        this->found([&](auto& t) { return t.service_accounts().find({second, row.id.value}); }),
        "none");
    EXPECT_EQ(
        this->found([](auto& t) { return t.service_accounts().find_by_name(second, "robot"); }),
        "none");
    EXPECT_EQ(this->found([&](auto& t) { return t.users().find({second, person.id.value}); }),
              "none");
    EXPECT_EQ(
        this->found([](auto& t) { return t.users().find_by_email(second, "ann@example.com"); }),
        "none");
    EXPECT_EQ(this->found([](auto& t) { return t.access_rules().find({second, 1}); }), "none");
    EXPECT_TRUE(this->found_all([](auto& t) {
                        return t.access_rules().of_subject(second,
                                                           {SubjectType::user, "ann@example.com"});
                    })
                    .empty());
    EXPECT_TRUE(
        this->found_all([](auto& t) { return t.access_rules().of_role({second, 2}); }).empty());
    EXPECT_TRUE(this->found_all([](auto& t) { return t.signing_keys().all(second); }).empty());
}

TYPED_TEST(StoreTest, RowsOfUnknownOrMixedTenantsAreRefused) {
    auto& store = this->store();
    EXPECT_EQ(this->code_of(put(store, account(TenantId{9}, 1, "robot"))), ErrorCode::internal);
    EXPECT_EQ(this->code_of(put(store, user(TenantId{9}, 1, "a@b.c"))), ErrorCode::internal);
    auto mixed = rule(first, 1, "ann@example.com");
    mixed.scope = tenant_scope(second);
    EXPECT_EQ(this->code_of(put(store, mixed)), ErrorCode::internal);
    mixed = rule(first, 1, "ann@example.com");
    mixed.role.tenant = second;
    EXPECT_EQ(this->code_of(put(store, mixed)), ErrorCode::internal);
    const ScopeId cluster{first, ScopeType::cluster, uuid(5).text()};
    EXPECT_EQ(this->code_of(put(store, unit(cluster, tenant_scope(second), "east"))),
              ErrorCode::internal);
    EXPECT_EQ(loaded(store), (Texts{text_of(tenant(first)), text_of(tenant(second))}));
}

TYPED_TEST(StoreTest, OrgUnitsAreFoundByPlace) {
    const ScopeId root = tenant_scope(first);
    const ScopeId cluster{first, ScopeType::cluster, uuid(5).text()};
    const auto east = unit(cluster, root, "east");
    const auto research = unit({first, ScopeType::department, "1"}, cluster, "research");
    const auto alpha = unit({first, ScopeType::project, "2"}, research.id, "alpha");
    const auto beta = unit({first, ScopeType::project, "3"}, research.id, "beta");
    for (const auto& row : {east, research, beta, alpha}) {
        this->must(put(this->store(), row));
    }
    EXPECT_EQ(this->found([&](auto& t) { return t.org_units().find(alpha.id); }), text_of(alpha));
    EXPECT_EQ(this->found([&](auto& t) {
        return t.org_units().find_by_name(research.id, ScopeType::project, "beta");
    }),
              text_of(beta));
    EXPECT_EQ(this->found([&](auto& t) {
        return t.org_units().find_by_name(cluster, ScopeType::project, "beta");
    }),
              "none");
    EXPECT_EQ(this->found_all([&](auto& t) { return t.org_units().children(research.id); }),
              (Texts{text_of(alpha), text_of(beta)}));
    EXPECT_EQ(this->code_of(
                  put(this->store(), unit({first, ScopeType::project, "4"}, research.id, "beta"))),
              ErrorCode::conflict);
    this->must(put(this->store(), unit({first, ScopeType::department, "4"}, cluster, "beta")));
    auto gone = alpha;
    gone.deleted_at = at(40);
    this->must(put(this->store(), gone));
    EXPECT_EQ(this->found_all([&](auto& t) { return t.org_units().children(research.id); }),
              Texts{text_of(beta)});
}

TYPED_TEST(StoreTest, AccessRulesAreFoundBySubjectScopeAndRole) {
    const auto one = rule(first, 1, "ann@example.com");
    auto two = rule(first, 2, "ann@example.com");
    two.role.value = 3;
    auto three = rule(first, 3, "bob@example.com");
    three.scope = {first, ScopeType::project, "7"};
    auto group = rule(first, 4, "ann@example.com");
    group.subject.type = SubjectType::group;
    for (const auto& row : {group, three, two, one}) {
        this->must(put(this->store(), row));
    }
    EXPECT_EQ(
        this->found_all([&](auto& t) { return t.access_rules().of_subject(first, one.subject); }),
        (Texts{text_of(one), text_of(two)}));
    EXPECT_EQ(this->found_all([&](auto& t) { return t.access_rules().at_scope(three.scope); }),
              Texts{text_of(three)});
    EXPECT_EQ(this->found_all([](auto& t) { return t.access_rules().of_role({first, 2}); }),
              (Texts{text_of(one), text_of(three), text_of(group)}));
    auto same = two;
    same.id.value = 99;
    EXPECT_EQ(this->found([&](auto& t) { return t.access_rules().find_same(same); }), text_of(two));

    two.deleted_at = at(51);
    auto earlier = group;
    earlier.deleted_at = at(50);
    this->must(put(this->store(), two));
    this->must(put(this->store(), earlier));
    EXPECT_EQ(this->found([&](auto& t) { return t.access_rules().find_same(same); }), "none");
    const auto deleted = this->store().deleted_access_rules(first);
    ASSERT_TRUE(deleted.has_value());
    ASSERT_EQ(deleted->size(), 2U);
    EXPECT_EQ(text_of(deleted->at(0)), text_of(earlier));
    EXPECT_EQ(text_of(deleted->at(1)), text_of(two));
    const auto of_second = this->store().deleted_access_rules(second);
    ASSERT_TRUE(of_second.has_value());
    EXPECT_TRUE(of_second->empty());
}

TYPED_TEST(StoreTest, AccessKeysAreFoundByOwnerAndName) {
    const auto ann = user(first, 1, "ann@example.com");
    const auto bob = user(first, 2, "bob@example.com");
    auto one = access_key(ann.id, 11, "laptop");
    const auto two = access_key(ann.id, 12, "pipeline");
    const auto other = access_key(bob.id, 13, "laptop");
    for (const Row& row : {Row(ann), Row(bob), Row(one), Row(two), Row(other)}) {
        this->must(put(this->store(), row));
    }
    EXPECT_EQ(this->found([&](auto& t) { return t.access_keys().find(one.id); }), text_of(one));
    EXPECT_EQ(this->found([&](auto& t) { return t.access_keys().find_by_name(bob.id, "laptop"); }),
              text_of(other));
    EXPECT_EQ(this->found_all([&](auto& t) { return t.access_keys().of_user(ann.id); }),
              (Texts{text_of(one), text_of(two)}));
    EXPECT_EQ(this->code_of(put(this->store(), access_key(ann.id, 14, "laptop"))),
              ErrorCode::conflict);
    auto same_client = access_key(bob.id, 15, "another");
    same_client.client_id = one.client_id;
    EXPECT_EQ(this->code_of(put(this->store(), same_client)), ErrorCode::conflict);

    one.secrets = {{uuid(90), 3, Digest{9}, at(90)}};
    one.last_login = at(91);
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([&](auto& t) { return t.access_keys().find(one.id); }), text_of(one));
    one.deleted_at = at(92);
    one.secrets.clear();
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([&](auto& t) { return t.access_keys().find(one.id); }), "none");
    this->must(put(this->store(), access_key(ann.id, 16, "laptop")));
}

TYPED_TEST(StoreTest, SessionsAreFoundByUserUntilTheyEnd) {
    const auto ann = user(first, 1, "ann@example.com");
    auto one = session(ann.id, 21);
    const auto two = session(ann.id, 22);
    for (const Row& row : {Row(ann), Row(two), Row(one)}) {
        this->must(put(this->store(), row));
    }
    one.generation = 7;
    one.updated_at = at(95);
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([&](auto& t) { return t.sessions().find(one.id); }), text_of(one));
    EXPECT_EQ(this->found_all([&](auto& t) { return t.sessions().of_user(ann.id); }),
              (Texts{text_of(one), text_of(two)}));
    one.deleted_at = at(96);
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([&](auto& t) { return t.sessions().find(one.id); }), "none");
    this->reopen();
    EXPECT_EQ(this->found_all([&](auto& t) { return t.sessions().of_user(ann.id); }),
              Texts{text_of(two)});
}

TYPED_TEST(StoreTest, RolesAreFoundByNameWithinTheirTenant) {
    auto one = role(first, 1, "Auditor");
    auto plain = role(first, 2, "Plain");
    plain.permission_sets.clear();
    plain.kubernetes_role.reset();
    const auto other = role(second, 3, "Auditor");
    for (const Row& row : {Row(one), Row(plain), Row(other)}) {
        this->must(put(this->store(), row));
    }
    EXPECT_EQ(this->found([&](auto& t) { return t.roles().find(plain.id); }), text_of(plain));
    EXPECT_EQ(this->found([](auto& t) { return t.roles().find_by_name(first, "Auditor"); }),
              text_of(one));
    EXPECT_EQ(this->code_of(put(this->store(), role(first, 4, "Auditor"))), ErrorCode::conflict);
    const auto all = [](auto& t) { return t.roles().all(first); };
    EXPECT_EQ(this->found_all(all), (Texts{text_of(one), text_of(plain)}));
    one.deleted_at = at(97);
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([&](auto& t) { return t.roles().find(one.id); }), "none");
    EXPECT_EQ(this->found_all(all), Texts{text_of(plain)});
    this->must(put(this->store(), role(first, 4, "Auditor")));
}

TYPED_TEST(StoreTest, ProvidersAndSettingsAreOneATenant) {
    auto one = identity_provider(first, "alpha");
    const auto two = identity_provider(first, "beta");
    auto settings = tenant_settings(first);
    for (const Row& row : {Row(two), Row(one), Row(settings)}) {
        this->must(put(this->store(), row));
    }
    EXPECT_EQ(this->found_all([](auto& t) { return t.identity_providers().all(first); }),
              (Texts{text_of(one), text_of(two)}));
    EXPECT_EQ(this->found([](auto& t) { return t.identity_providers().find(second, "alpha"); }),
              "none");
    EXPECT_EQ(this->found([](auto& t) { return t.tenant_settings().find(second); }), "none");
    settings.values = "{}";
    this->must(put(this->store(), settings));
    EXPECT_EQ(this->found([](auto& t) { return t.tenant_settings().find(first); }),
              text_of(settings));
    one.deleted_at = at(98);
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([](auto& t) { return t.identity_providers().find(first, "alpha"); }),
              "none");
    one.deleted_at.reset();
    one.name = "Again";
    this->must(put(this->store(), one));
    EXPECT_EQ(this->found([](auto& t) { return t.identity_providers().find(first, "alpha"); }),
              text_of(one));
}

TYPED_TEST(StoreTest, LoadGivesLiveRowsParentsFirstAndIsTheSameAfterReopening) {
    const ScopeId cluster{second, ScopeType::cluster, uuid(5).text()};
    const auto east = unit(cluster, tenant_scope(second), "east");
    const auto research = unit({second, ScopeType::department, "1"}, cluster, "research");
    const auto alpha = unit({second, ScopeType::project, "2"}, research.id, "alpha");
    auto without_secrets = account(first, 1, "bare");
    without_secrets.secrets.clear();
    auto deleted = account(first, 2, "gone");
    deleted.deleted_at = at(60);
    auto deleted_rule = rule(first, 1, "ann@example.com");
    deleted_rule.deleted_at = at(60);
    const auto robot = account(first, 3, "robot");
    const auto other = account(second, 4, "other");
    const auto ann = user(first, 6, "ann@example.com");
    const auto live_rule = rule(second, 2, "bob@example.com");
    const auto key = signing_key(first, "kid-1");
    const auto own_key = access_key(ann.id, 7, "laptop");
    auto deleted_key = access_key(ann.id, 8, "old");
    deleted_key.deleted_at = at(60);
    const auto signed_in = session(ann.id, 9);
    const auto own_role = role(second, 10, "Auditor");
    const auto provider = identity_provider(first, "alpha");
    const auto settings = tenant_settings(second);
    for (const Row& row :
         {Row(key), Row(alpha), Row(research), Row(east), Row(live_rule), Row(deleted_rule),
          Row(other), Row(robot), Row(deleted), Row(without_secrets), Row(ann), Row(own_key),
          Row(deleted_key), Row(signed_in), Row(own_role), Row(provider), Row(settings)}) {
        this->must(put(this->store(), row));
    }
    const Texts expected{text_of(tenant(first)),   text_of(tenant(second)),
                         text_of(without_secrets), text_of(robot),
                         text_of(other),           text_of(ann),
                         text_of(own_key),         text_of(signed_in),
                         text_of(own_role),        text_of(east),
                         text_of(research),        text_of(alpha),
                         text_of(live_rule),       text_of(key),
                         text_of(provider),        text_of(settings)};
    EXPECT_EQ(loaded(this->store()), expected);
    this->reopen();
    EXPECT_EQ(loaded(this->store()), expected);
}

TYPED_TEST(StoreTest, NothingOfAFailedWriteIsKept) {
    auto& store = this->store();
    const auto robot = account(first, 1, "robot");
    this->must(put(store, robot));
    const auto before = loaded(store);
    const Store::Work half = [&](Transaction& transaction) -> Result<void> {
        auto changed = robot;
        changed.secrets.clear();
        changed.name = "changed";
        TRY(transaction.service_accounts().put(changed));
        TRY(transaction.service_accounts().put(account(first, 2, "new")));
        TRY(transaction.change_events().append(change_event(first, 1)));
        TRY(transaction.next(Sequence::org_unit));
        return fail(ErrorCode::access_denied, "no");
    };
    EXPECT_EQ(this->code_of(store.write(half)), ErrorCode::access_denied);
    EXPECT_EQ(loaded(store), before);
    const Store::Work thrown = [&](Transaction& transaction) -> Result<void> {
        TRY(transaction.service_accounts().put(account(first, 2, "new")));
        throw std::runtime_error("a defect");
    };
    EXPECT_EQ(this->code_of(store.write(thrown)), ErrorCode::internal);
    EXPECT_EQ(loaded(store), before);
    this->must(store.write([&](Transaction& transaction) -> Result<void> {
        const AuditHead head = TRY(transaction.change_events().head(first));
        EXPECT_EQ(head.number, 0U);
        const std::int32_t number = TRY(transaction.next(Sequence::org_unit));
        EXPECT_EQ(number, 1);
        return {};
    }));
    this->reopen();
    EXPECT_EQ(loaded(this->store()), before);
}

TYPED_TEST(StoreTest, WhicheverCallFailsAllOrNothingIsKept) {
    FailingStore failing(this->store());
    const Store::Work work = [](Transaction& transaction) -> Result<void> {
        const std::int32_t number = TRY(transaction.next(Sequence::access_rule));
        TRY(transaction.service_accounts().put(account(first, 1, "robot")));
        TRY(transaction.users().put(user(first, 2, "ann@example.com")));
        TRY(transaction.access_rules().put(rule(first, number, "ann@example.com")));
        TRY(transaction.signing_keys().put(signing_key(first, "kid-1")));
        TRY(transaction.tenants().put(tenant(TenantId{3})));
        const ScopeId cluster{first, ScopeType::cluster, uuid(5).text()};
        TRY(transaction.org_units().put(unit(cluster, tenant_scope(first), "east")));
        return transaction.change_events().append(change_event(first, 1));
    };
    const auto before = loaded(failing);
    constexpr std::uint64_t calls = 8;
    for (std::uint64_t call = 1; call <= calls; ++call) {
        failing.fail_call(call);
        EXPECT_EQ(this->code_of(failing.write(work)), ErrorCode::unavailable) << call;
        EXPECT_EQ(failing.calls(), call);
        EXPECT_EQ(loaded(failing), before) << call;
    }
    failing.fail_call(0);
    this->must(failing.write(work));
    EXPECT_EQ(failing.calls(), calls);
    EXPECT_EQ(loaded(failing).size(), before.size() + 6);
}

TYPED_TEST(StoreTest, SequencesGrowAndAreNeverReused) {
    const auto take = [&](Sequence sequence) {
        std::int32_t number = 0;
        this->must(this->store().write([&](Transaction& transaction) -> Result<void> {
            number = TRY(transaction.next(sequence));
            return {};
        }));
        return number;
    };
    EXPECT_EQ(take(Sequence::access_rule), 1);
    EXPECT_EQ(take(Sequence::access_rule), 2);
    EXPECT_EQ(take(Sequence::org_unit), 1);
    auto row = rule(first, 2, "ann@example.com");
    this->must(put(this->store(), row));
    row.deleted_at = at(70);
    this->must(put(this->store(), row));
    this->reopen();
    EXPECT_EQ(take(Sequence::access_rule), 3);
    EXPECT_EQ(take(Sequence::tenant), 1);
}

TYPED_TEST(StoreTest, ChangeEventsFormOneChainPerTenant) {
    auto& store = this->store();
    const auto append = [&](TenantId tenant, std::uint64_t number) {
        return this->code_of(store.write([&](Transaction& transaction) {
            return transaction.change_events().append(change_event(tenant, number));
        }));
    };
    EXPECT_EQ(append(first, 2), ErrorCode::internal);
    EXPECT_EQ(append(first, 0), ErrorCode::internal);
    EXPECT_EQ(append(first, 1), ErrorCode::too_large);
    EXPECT_EQ(append(first, 1), ErrorCode::internal);
    EXPECT_EQ(append(first, 2), ErrorCode::too_large);
    EXPECT_EQ(append(second, 1), ErrorCode::too_large);
    EXPECT_EQ(append(TenantId{9}, 1), ErrorCode::internal);
    this->must(store.write([&](Transaction& transaction) -> Result<void> {
        const AuditHead head = TRY(transaction.change_events().head(first));
        EXPECT_EQ(head.number, 2U);
        EXPECT_EQ(head.hash, change_event(first, 2).hash);
        return {};
    }));
    std::vector<std::uint64_t> numbers;
    this->must(for_each_entry(store, first, 2, [&](const AuditEntry& entry) -> Result<void> {
        numbers.push_back(entry.number);
        EXPECT_EQ(entry.payload, change_event(first, 2).payload);
        EXPECT_EQ(entry.at, at(15));
        return {};
    }));
    EXPECT_EQ(numbers, std::vector<std::uint64_t>{2});
    int visits = 0;
    const auto stopped = for_each_entry(store, first, 1, [&](const AuditEntry&) {
        ++visits;
        return Result<void>(fail(ErrorCode::not_found, "enough"));
    });
    EXPECT_EQ(this->code_of(stopped), ErrorCode::not_found);
    EXPECT_EQ(visits, 1);
}

TYPED_TEST(StoreTest, LastLoginsAreRecordedWithoutAChange) {
    auto robot = account(first, 1, "robot");
    auto ann = user(first, 2, "ann@example.com");
    this->must(put(this->store(), robot));
    auto key = access_key(ann.id, 3, "laptop");
    this->must(put(this->store(), ann));
    this->must(put(this->store(), key));
    bool told = false;
    this->store().set_commit_listener([&](std::uint64_t, std::span<const Row>) { told = true; });
    const std::vector<LastLogin> logins{{robot.id, at(80)},
                                        {ann.id, at(81)},
                                        {key.id, at(83)},
                                        {ServiceAccountId{second, robot.id.value}, at(82)}};
    this->must(this->store().record_last_logins(logins));
    robot.last_login = at(80);
    ann.last_login = at(81);
    key.last_login = at(83);
    EXPECT_EQ(this->found([&](auto& t) { return t.access_keys().find(key.id); }), text_of(key));
    EXPECT_EQ(this->found([&](auto& t) { return t.service_accounts().find(robot.id); }),
              text_of(robot));
    EXPECT_EQ(this->found([&](auto& t) { return t.users().find(ann.id); }), text_of(ann));
    EXPECT_FALSE(told);
}

TYPED_TEST(StoreTest, UsesOfSecretsAddUpByDay) {
    using namespace testing::detail;
    auto robot = account(first, 1, "robot");
    this->must(put(this->store(), robot));
    const Uuid key = robot.id.value;
    const auto use = [&](const ClientSecret& secret, std::int64_t seconds, std::int32_t day,
                         std::uint64_t count) {
        return SecretUse{first, key, secret.id, at(seconds), "192.0.2.1", "curl/8", {day}, count};
    };
    const auto found = [&](TenantId tenant) {
        Texts texts;
        const auto uses = this->store().secret_uses(tenant, key);
        for (const SecretUse& one : *uses) {
            texts.push_back(join(one.secret.text(), text(one.at), one.source_ip, one.user_agent,
                                 number(one.day.number), number(one.count)));
        }
        std::ranges::sort(texts);
        return texts;
    };
    const auto expected = [&](std::uint32_t secret, std::int64_t seconds, int day, int count) {
        return join(robot.secrets[secret].id.text(), text(at(seconds)), "192.0.2.1", "curl/8",
                    number(day), number(count));
    };
    EXPECT_EQ(found(first), Texts{});
    const std::vector<SecretUse> once{use(robot.secrets[0], 80, 5, 2),
                                      use(robot.secrets[1], 81, 5, 1)};
    this->must(this->store().record_secret_uses(once));
    const std::vector<SecretUse> again{use(robot.secrets[0], 90, 5, 3),
                                       use(robot.secrets[1], 91, 6, 4)};
    this->must(this->store().record_secret_uses(again));
    Texts both{expected(0, 90, 5, 5), expected(1, 91, 6, 4)};
    std::ranges::sort(both);
    EXPECT_EQ(found(first), both);
    EXPECT_EQ(found(second), Texts{});
    // Of secrets that are gone nothing is kept, and nothing is taken.
    const ClientSecret gone = robot.secrets.front();
    robot.secrets.erase(robot.secrets.begin());
    this->must(put(this->store(), robot));
    this->must(this->store().record_secret_uses(std::vector{use(gone, 95, 6, 1)}));
    EXPECT_EQ(found(first), (Texts{expected(0, 91, 6, 4)}));
}

TYPED_TEST(StoreTest, TheListenerHearsEveryCommitInOrder) {
    std::vector<std::string> heard;
    std::uint64_t last_number = 2; // the two tenants
    this->store().set_commit_listener([&](std::uint64_t number, std::span<const Row> rows) {
        EXPECT_EQ(number, last_number + rows.size());
        last_number = number;
        for (const Row& row : rows) {
            heard.push_back(text_of(row));
        }
    });
    const auto robot = account(first, 1, "robot");
    const auto ann = user(first, 2, "ann@example.com");
    this->must(this->store().write([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.service_accounts().put(robot));
        return transaction.users().put(ann);
    }));
    EXPECT_EQ(heard, (Texts{text_of(robot), text_of(ann)}));
    EXPECT_EQ(this->code_of(put(this->store(), account(first, 3, "robot"))), ErrorCode::conflict);
    this->must(this->store().write([](Transaction&) -> Result<void> { return {}; }));
    EXPECT_EQ(heard.size(), 2U);
    this->must(put(this->store(), signing_key(first, "kid-1")));
    EXPECT_EQ(heard.back(), text_of(signing_key(first, "kid-1")));
    EXPECT_EQ(last_number, 5U);
}

TYPED_TEST(StoreTest, WritesOfManyThreadsAreAllOrNothingEach) {
    constexpr std::uint32_t threads = 8;
    constexpr std::uint32_t writes = 60;
    std::vector<std::string> heard;
    std::uint64_t last_number = 2;
    this->store().set_commit_listener([&](std::uint64_t number, std::span<const Row> rows) {
        EXPECT_EQ(number, last_number + rows.size());
        last_number = number;
        for (const Row& row : rows) {
            heard.push_back(text_of(row));
        }
    });
    std::atomic<int> wrong = 0;
    const auto work = [&](std::uint32_t thread) {
        for (std::uint32_t i = 0; i < writes; ++i) {
            const std::uint32_t number = thread * writes + i;
            const auto row = account(first, number, "robot-" + std::to_string(number));
            const auto done = this->store().write([&](Transaction& transaction) -> Result<void> {
                TRY(transaction.service_accounts().put(row));
                const AuditHead head = TRY(transaction.change_events().head(first));
                TRY(transaction.change_events().append(change_event(first, head.number + 1)));
                if (i % 3 == 1) {
                    return fail(ErrorCode::access_denied, "no");
                }
                if (i % 3 == 2) {
                    throw std::runtime_error("a defect");
                }
                return {};
            });
            const ErrorCode expected = i % 3 == 0   ? ErrorCode::too_large
                                       : i % 3 == 1 ? ErrorCode::access_denied
                                                    : ErrorCode::internal;
            wrong += this->code_of(done) == expected ? 0 : 1;
        }
    };
    {
        std::vector<std::jthread> running;
        for (std::uint32_t thread = 0; thread < threads; ++thread) {
            running.emplace_back(work, thread);
        }
    }
    EXPECT_EQ(wrong, 0);
    constexpr std::size_t kept = threads * writes / 3;
    EXPECT_EQ(heard.size(), kept);
    EXPECT_EQ(last_number, 2 + kept);
    std::uint64_t events = 0;
    this->must(for_each_entry(this->store(), first, 1, [&](const AuditEntry& entry) {
        EXPECT_EQ(entry.number, ++events);
        return Result<void>{};
    }));
    EXPECT_EQ(events, kept);
    this->store().set_commit_listener({});
    this->reopen();
    Texts now = loaded(this->store());
    now.erase(now.begin(), now.begin() + 2);
    std::ranges::sort(heard);
    std::ranges::sort(now);
    EXPECT_EQ(now, heard);
}

} // namespace
} // namespace claviger
