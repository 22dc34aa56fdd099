// SPDX-License-Identifier: Apache-2.0
// Data to measure with: written as rows, past the services, because a million changes one by one
// would take hours and measure nothing.
#include <algorithm>
#include <fstream>

#include "access/role.h"
#include "auth/client_secret.h"
#include "auth/names.h"
#include "bench/bench.h"
#include "store/sqlite_store.h"

namespace claviger::bench {
namespace {

constexpr std::int64_t rows_a_transaction = 20'000;
constexpr std::int64_t listed_credentials = 1'000; // the load comes from so many clients
constexpr std::int64_t accounts_a_project = 100;
constexpr std::int64_t accounts_a_user = 10;
constexpr std::int64_t users_a_key = 10;
constexpr std::int64_t most_projects = 10'000;
constexpr std::int64_t listed_accounts = 10'000; // where it is the rules that are many
constexpr std::int32_t viewer = 7;
constexpr TenantId first_tenant{1};

std::string email_of(std::int64_t user) {
    return "bench-user-" + std::to_string(user) + "@example.com";
}

/// Writes rows of a bench tenant; each kind of row is numbered from 0.
class Filler {
public:
    /// `count` service accounts, and what belongs to so many.
    Filler(Store& store, const Pepper& pepper, std::int64_t count)
        : store_(store), pepper_(pepper), count_(count),
          projects_(std::clamp<std::int64_t>(count / accounts_a_project, 1, most_projects)),
          users_(count / accounts_a_user) {}
    /// Few service accounts, and the users and projects that go with `rules` rules.
    static Filler of_rules(Store& store, const Pepper& pepper, std::int64_t rules) {
        Filler filler(store, pepper, rules);
        filler.count_ = std::min(rules, listed_accounts);
        return filler;
    }

    Result<void> write_tree();
    Result<void> write_accounts(std::ofstream& credentials);
    /// Users, and access keys of some of them.
    Result<void> write_users();
    /// `count` rules of the users, each for another of the projects.
    Result<void> write_rules(std::int64_t count);
    /// The first of the credentials gets at everything.
    Result<void> write_administrator();

private:
    Result<void> write_account(Transaction& transaction, std::int64_t number,
                               std::ofstream& credentials);
    template <class Write>
    Result<void> write_many(std::int64_t count, Write write);
    Result<void> write_user(Transaction& transaction, std::int64_t number);
    OrgUnit unit(ScopeType type, std::string id, const ScopeId& parent) const;

    Store& store_;
    const Pepper& pepper_;
    std::int64_t count_;
    std::int64_t projects_;
    std::int64_t users_;
    SystemRandom random_;
    std::string first_account_;
};

OrgUnit Filler::unit(ScopeType type, std::string id, const ScopeId& parent) const {
    OrgUnit made;
    made.name = "bench-" + id;
    made.id = {first_tenant, type, std::move(id)};
    made.parent = parent;
    made.created_by = "bench";
    made.updated_by = "bench";
    return made;
}

Result<void> Filler::write_tree() {
    return store_.write([&](Transaction& transaction) -> Result<void> {
        const OrgUnit cluster =
            unit(ScopeType::cluster, Uuid::make(random_).text(), tenant_scope(first_tenant));
        TRY(transaction.org_units().put(cluster));
        const auto department_id = TRY(transaction.next(Sequence::org_unit));
        const OrgUnit department =
            unit(ScopeType::department, std::to_string(department_id), cluster.id);
        TRY(transaction.org_units().put(department));
        for (std::int64_t i = 0; i < projects_; ++i) {
            const auto id = TRY(transaction.next(Sequence::org_unit));
            TRY(transaction.org_units().put(
                unit(ScopeType::project, std::to_string(id), department.id)));
        }
        return {};
    });
}

template <class Write>
Result<void> Filler::write_many(std::int64_t count, Write write) {
    for (std::int64_t first = 0; first < count; first += rows_a_transaction) {
        const std::int64_t end = std::min(first + rows_a_transaction, count);
        TRY(store_.write([&](Transaction& transaction) -> Result<void> {
            for (std::int64_t number = first; number < end; ++number) {
                TRY(write(transaction, number));
            }
            return {};
        }));
    }
    return {};
}

Result<void> Filler::write_accounts(std::ofstream& credentials) {
    return write_many(count_, [&](Transaction& transaction, std::int64_t number) {
        return write_account(transaction, number, credentials);
    });
}

Result<void> Filler::write_users() {
    return write_many(users_, [&](Transaction& transaction, std::int64_t number) {
        return write_user(transaction, number);
    });
}

Result<void> Filler::write_rules(std::int64_t count) {
    return write_many(count, [&](Transaction& transaction, std::int64_t number) -> Result<void> {
        const std::int64_t user = number % users_;
        const std::int64_t project = (user + number / users_) % projects_;
        AccessRule rule;
        rule.id = {first_tenant, TRY(transaction.next(Sequence::access_rule))};
        rule.subject = {SubjectType::user, email_of(user)};
        rule.role = {first_tenant, viewer};
        rule.scope = {first_tenant, ScopeType::project, std::to_string(2 + project)};
        rule.created_by = "bench";
        rule.created_at = Timestamp::from_seconds(1'700'000'000 + number);
        rule.updated_at = rule.created_at;
        return transaction.access_rules().put(rule);
    });
}

Result<void> Filler::write_user(Transaction& transaction, std::int64_t number) {
    User user;
    user.id = {first_tenant, Uuid::make(random_)};
    user.email = email_of(number);
    user.created_by = "bench";
    user.created_at = Timestamp::from_seconds(1'700'000'000 + number);
    user.updated_at = user.created_at;
    TRY(transaction.users().put(user));
    if (number % users_a_key != 0) {
        return {};
    }
    AccessKey key;
    key.id = {first_tenant, Uuid::make(random_)};
    key.user = user.id.value;
    key.client_id = make_access_key_client_id(random_);
    key.name = "bench-key";
    key.created_at = user.created_at;
    key.updated_at = user.created_at;
    return transaction.access_keys().put(key);
}

Result<void> Filler::write_administrator() {
    return store_.write([&](Transaction& transaction) -> Result<void> {
        AccessRule rule;
        rule.id = {first_tenant, TRY(transaction.next(Sequence::access_rule))};
        rule.subject = {SubjectType::service_account, first_account_};
        rule.role = {first_tenant, system_administrator};
        rule.scope = tenant_scope(first_tenant);
        rule.created_by = "bench";
        return transaction.access_rules().put(rule);
    });
}

Result<void> Filler::write_account(Transaction& transaction, std::int64_t number,
                                   std::ofstream& credentials) {
    ServiceAccount account;
    account.id = {first_tenant, Uuid::make(random_)};
    account.name = "bench-account-" + std::to_string(number);
    account.created_by = "bench";
    const Secret secret = generate_client_secret(random_, SecretKind::service_account);
    ClientSecret row;
    row.id = Uuid::make(random_);
    row.keyed_hash = pepper_.keyed_hash(account.name, secret.reveal());
    account.secrets.push_back(row);
    TRY(transaction.service_accounts().put(account));
    if (number == 0) {
        first_account_ = account.id.value.text();
    }
    if (number < listed_credentials) {
        credentials << account.name << ' ' << secret.reveal() << '\n';
    }
    AccessRule rule;
    rule.id = {first_tenant, TRY(transaction.next(Sequence::access_rule))};
    rule.subject = {SubjectType::service_account, account.id.value.text()};
    rule.role = {first_tenant, viewer};
    rule.scope = {first_tenant, ScopeType::project, std::to_string(2 + number % projects_)};
    rule.created_by = "bench";
    return transaction.access_rules().put(rule);
}

} // namespace

Result<void> fill(const std::filesystem::path& directory, std::int64_t count, Filled filled,
                  std::string_view algorithm) {
    {
        NullLog log;
        const auto application = TRY(open_without_audit(directory, log, algorithm));
        TRY(application->add_first_tenant(bench_options(directory, algorithm)));
    }
    SystemRandom random;
    const MasterKey key = TRY(MasterKey::load(directory / "master.key", false, random));
    const auto store = TRY(SqliteStore::open(directory));
    const FoundRootKey root_key = TRY(find_root_key(*store, key, random, SystemClock().now()));
    const Pepper pepper(root_key.key);
    Filler filler = filled == Filled::with_accounts ? Filler(*store, pepper, count)
                                                    : Filler::of_rules(*store, pepper, count);
    TRY(filler.write_tree());
    std::ofstream credentials(directory / credentials_file_name);
    TRY(filler.write_accounts(credentials));
    TRY(filler.write_users());
    if (filled == Filled::with_rules) {
        TRY(filler.write_rules(count));
    }
    TRY(filler.write_administrator());
    credentials.close();
    return credentials ? Result<void>() : fail(ErrorCode::unavailable, "the disk is full");
}

} // namespace claviger::bench
