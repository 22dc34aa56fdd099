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

/// Owners and secrets are both read in the order of the owner: a merge, no query per owner.
template <class Owner>
Result<void> load_with_secrets(Connection& reader, const std::string& owners_sql,
                               const std::string& secrets_sql, const Store::RowVisitor& visit) {
    Statement owners = TRY(reader.query(owners_sql));
    Statement secrets = TRY(reader.query(secrets_sql));
    Row row = Owner{};
    auto& owner = std::get<Owner>(row);
    bool more_secrets = TRY(secrets.step());
    for (bool more = TRY(owners.step()); more;) {
        read_row(owners, owner);
        const std::pair id(owner.id.tenant, owner.id.value);
        while (more_secrets && owner_of_secret(secrets) <= id) {
            if (owner_of_secret(secrets) == id) {
                read_row(secrets, owner.secrets.emplace_back());
            }
            more_secrets = TRY(secrets.step());
        }
        visit(row);
        more = TRY(owners.step());
    }
    return {};
}

Result<void> load_in_transaction(Connection& reader, const Store::RowVisitor& visit) {
    TRY(load_all<Tenant>(reader, select(tenant_columns, "tenant ORDER BY id"), visit));
    TRY(load_with_secrets<ServiceAccount>(
        reader,
        select(service_account_columns,
               "service_account WHERE deleted_at IS NULL ORDER BY tenant, id"),
        select(client_secret_columns, "client_secret ORDER BY tenant, service_account, position"),
        visit));
    TRY(load_all<User>(
        reader, select(user_columns, "user WHERE deleted_at IS NULL ORDER BY tenant, id"), visit));
    TRY(load_with_secrets<AccessKey>(
        reader,
        select(access_key_columns, "access_key WHERE deleted_at IS NULL ORDER BY tenant, id"),
        select(access_key_secret_columns,
               "access_key_secret ORDER BY tenant, access_key, position"),
        visit));
    TRY(load_all<Session>(reader, select(session_columns, "session ORDER BY tenant, id"), visit));
    TRY(load_all<Role>(
        reader, select(role_columns, "role WHERE deleted_at IS NULL ORDER BY tenant, id"), visit));
    TRY(load_all<OrgUnit>(reader,
                          select(org_unit_columns,
                                 "org_unit WHERE deleted_at IS NULL "
                                 "ORDER BY tenant, type, id"), // clusters, departments, projects
                          visit));
    TRY(load_all<AccessRule>(
        reader,
        select(access_rule_columns, "access_rule WHERE deleted_at IS NULL ORDER BY tenant, id"),
        visit));
    TRY(load_all<SigningKey>(reader, select(signing_key_columns, "signing_key"), visit));
    TRY(load_all<IdentityProvider>(
        reader, select(identity_provider_columns, "identity_provider ORDER BY tenant, alias"),
        visit));
    TRY(load_all<TenantSettings>(reader, select(tenant_settings_columns, "tenant_settings"),
                                 visit));
    return load_all<Revocation>(
        reader, select(revocation_columns, "revocation ORDER BY tenant, number"), visit);
}

} // namespace

Result<void> load_rows(Connection& reader, const Store::RowVisitor& visit) {
    TRY(reader.execute("BEGIN"));
    auto loaded = load_in_transaction(reader, visit);
    TRY(reader.execute("COMMIT"));
    return loaded;
}

} // namespace claviger
