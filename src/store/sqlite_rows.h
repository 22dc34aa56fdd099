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
    "id, realm, host, name, enabled, created_at, updated_at, tokens_not_before";
void read_row(const Statement& row, Tenant& tenant);

/// The secrets are rows of their own.
inline constexpr std::string_view service_account_columns =
    "tenant, id, name, enabled, epoch, created_by, created_at, updated_at, deleted_at, last_login, "
    "limits";
void read_row(const Statement& row, ServiceAccount& account);

inline constexpr std::string_view client_secret_columns =
    "tenant, service_account, id, pepper_version, keyed_hash, created_at, number, expires_at, "
    "retired_at, tokens_ended, drain_since, drain_seconds, frozen";
/// The tenant and id of the account or access key.
std::pair<TenantId, Uuid> owner_of_secret(const Statement& row);
void read_row(const Statement& row, ClientSecret& secret);

inline constexpr std::string_view user_columns =
    "tenant, id, email, password_hash, password_is_temporary, is_local, group_names, attributes, "
    "enabled, epoch, created_by, created_at, updated_at, deleted_at, last_login";
void read_row(const Statement& row, User& user);

/// The secrets are rows of their own.
inline constexpr std::string_view access_key_columns =
    "tenant, id, user, client_id, name, epoch, created_at, updated_at, deleted_at, last_login, "
    "limits";
void read_row(const Statement& row, AccessKey& key);

inline constexpr std::string_view access_key_secret_columns =
    "tenant, access_key, id, pepper_version, keyed_hash, created_at, number, expires_at, "
    "retired_at, tokens_ended, drain_since, drain_seconds, frozen";
/// Of both tables of secrets, all but the tenant and the owner.
inline constexpr std::string_view kept_secret_columns =
    "position, id, pepper_version, keyed_hash, created_at, number, expires_at, retired_at, "
    "tokens_ended, drain_since, drain_seconds, frozen";

inline constexpr std::string_view secret_use_columns =
    "tenant, key, secret, at, source_ip, user_agent, day, count";
void read_row(const Statement& row, SecretUse& use);

inline constexpr std::string_view session_columns =
    "tenant, id, user, client_id, generation, created_at, updated_at, expires_at, narrowing";
void read_row(const Statement& row, Session& session);

inline constexpr std::string_view role_columns =
    "tenant, id, name, description, enabled, permission_sets, kubernetes_role, created_by, "
    "created_at, updated_at, deleted_at";
void read_row(const Statement& row, Role& role);

inline constexpr std::string_view identity_provider_columns =
    "tenant, alias, type, name, settings, sealed_secret, mappers, created_by, created_at, "
    "updated_at";
void read_row(const Statement& row, IdentityProvider& provider);

inline constexpr std::string_view tenant_settings_columns = "tenant, settings, updated_at";
void read_row(const Statement& row, TenantSettings& settings);

inline constexpr std::string_view org_unit_columns =
    "tenant, type, id, parent_type, parent, name, description, attributes, created_by, updated_by, "
    "created_at, updated_at, deleted_at";
void read_row(const Statement& row, OrgUnit& unit);

inline constexpr std::string_view access_rule_columns =
    "tenant, id, subject_type, subject, role, scope_type, scope, created_by, created_at, "
    "updated_at, deleted_at";
void read_row(const Statement& row, AccessRule& rule);

inline constexpr std::string_view signing_key_columns =
    "tenant, kid, algorithm, purpose, sealed_private_key, state, token_lifetime_seconds, "
    "created_at, activates_at, retired_at, burned_at";
void read_row(const Statement& row, SigningKey& key);

inline constexpr std::string_view revocation_columns =
    "tenant, number, kind, id, name, epoch, active, at, expires_at";
void read_row(const Statement& row, Revocation& revocation);
inline constexpr std::string_view root_key_columns = "master_key_id, box, created_at";
void read_row(const Statement& row, SealedRootKey& key);

/// Of both chains.
inline constexpr std::string_view audit_entry_columns = "tenant, number, at, payload, hash";
void read_row(const Statement& row, AuditEntry& entry);

/// Lists of texts without line breaks stand in one column, a line each.
std::string join_lines(const std::vector<std::string>& lines);
std::vector<std::string> split_lines(std::string_view text);

/// "SELECT <columns> FROM <rest>".
std::string select(std::string_view columns, std::string_view rest);

} // namespace claviger
