// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_load.h"

#include "store/sqlite_rows.h"

namespace claviger {

namespace {

// ORDER BY the key: otherwise SQLite takes a partial index and looks up every row.

template <class Noun>
Result<void> load_all(Connection& reader, const std::string& sql, const Store::RowVisitor& visit) {
    Statement found = TRY(reader.query(sql));
    Row row = Noun{};
    Noun& noun = std::get<Noun>(row);
    for (bool more = TRY(found.step()); more;) {
        read_row(found, noun);
        visit(row);
        more = TRY(found.step());
    }
    return {};
}

/// Accounts and secrets are both read in the order of the account: a merge, no query per account.
Result<void> load_service_accounts(Connection& reader, const Store::RowVisitor& visit) {
    Statement accounts = TRY(reader.query(select(
        service_account_columns, "service_account WHERE deleted_at IS NULL ORDER BY tenant, id")));
    Statement secrets = TRY(reader.query(
        select(client_secret_columns, "client_secret ORDER BY tenant, service_account, position")));
    Row row = ServiceAccount{};
    auto& account = std::get<ServiceAccount>(row);
    bool more_secrets = TRY(secrets.step());
    for (bool more = TRY(accounts.step()); more;) {
        read_row(accounts, account);
        while (more_secrets && owner_of_secret(secrets) <= account.id) {
            if (owner_of_secret(secrets) == account.id) {
                read_row(secrets, account.secrets.emplace_back());
            }
            more_secrets = TRY(secrets.step());
        }
        visit(row);
        more = TRY(accounts.step());
    }
    return {};
}

Result<void> load_in_transaction(Connection& reader, const Store::RowVisitor& visit) {
    TRY(load_all<Tenant>(reader, select(tenant_columns, "tenant ORDER BY id"), visit));
    TRY(load_service_accounts(reader, visit));
    TRY(load_all<User>(
        reader, select(user_columns, "user WHERE deleted_at IS NULL ORDER BY tenant, id"), visit));
    TRY(load_all<OrgUnit>(reader,
                          select(org_unit_columns,
                                 "org_unit WHERE deleted_at IS NULL "
                                 "ORDER BY tenant, type, id"), // clusters, departments, projects
                          visit));
    TRY(load_all<AccessRule>(
        reader,
        select(access_rule_columns, "access_rule WHERE deleted_at IS NULL ORDER BY tenant, id"),
        visit));
    return load_all<SigningKey>(reader, select(signing_key_columns, "signing_key"), visit);
}

} // namespace

Result<void> load_rows(Connection& reader, const Store::RowVisitor& visit) {
    TRY(reader.execute("BEGIN"));
    auto loaded = load_in_transaction(reader, visit);
    TRY(reader.execute("COMMIT"));
    return loaded;
}

} // namespace claviger
