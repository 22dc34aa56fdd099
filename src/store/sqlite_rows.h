// SPDX-License-Identifier: Apache-2.0
// Reads the nouns from rows of the main database. Each column list stands beside the function that
// reads exactly these columns.
#pragma once

#include <string>
#include <string_view>

#include "model/model.h"
#include "store/sqlite_connection.h"

namespace claviger {

// The readers write into an existing object, so that loading a million rows reuses its memory.
inline constexpr std::string_view tenant_columns =
    "id, realm, host, name, enabled, created_at, updated_at";
void read_row(const Statement& row, Tenant& tenant);

/// The secrets are rows of their own.
inline constexpr std::string_view service_account_columns =
    "tenant, id, name, enabled, epoch, created_by, created_at, updated_at, deleted_at, last_login";
void read_row(const Statement& row, ServiceAccount& account);

inline constexpr std::string_view client_secret_columns =
    "tenant, service_account, id, pepper_version, keyed_hash, created_at";
ServiceAccountId owner_of_secret(const Statement& row);
void read_row(const Statement& row, ClientSecret& secret);

inline constexpr std::string_view user_columns =
    "tenant, id, email, password_hash, password_is_temporary, enabled, epoch, created_by, "
    "created_at, updated_at, deleted_at, last_login";
void read_row(const Statement& row, User& user);

inline constexpr std::string_view org_unit_columns =
    "tenant, type, id, parent_type, parent, name, description, attributes, created_by, updated_by, "
    "created_at, updated_at, deleted_at";
void read_row(const Statement& row, OrgUnit& unit);

inline constexpr std::string_view access_rule_columns =
    "tenant, id, subject_type, subject, role, scope_type, scope, created_by, created_at, "
    "updated_at, deleted_at";
void read_row(const Statement& row, AccessRule& rule);

inline constexpr std::string_view signing_key_columns =
    "tenant, kid, algorithm, purpose, sealed_private_key, created_at, activates_at, retired_at";
void read_row(const Statement& row, SigningKey& key);

/// Of both chains.
inline constexpr std::string_view audit_entry_columns = "tenant, number, at, payload, hash";
void read_row(const Statement& row, AuditEntry& entry);

/// "SELECT <columns> FROM <rest>".
std::string select(std::string_view columns, std::string_view rest);

} // namespace claviger
