// SPDX-License-Identifier: Apache-2.0
// The steps by which the two databases have grown, as SQL. A step that was released never changes.
// Private to migrations.cpp.
#pragma once

#include <string_view>

namespace claviger {

// Times are microseconds since 1970, UUIDs 16 bytes, enumerations the numbers in model/.
// Rows with deleted_at are kept for the record; their names are free again.
inline constexpr std::string_view store_1 = R"sql(
CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    realm TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenant_host ON tenant (host) WHERE host <> '';

CREATE TABLE service_account (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    epoch INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    last_login INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX service_account_name ON service_account (tenant, name)
    WHERE deleted_at IS NULL;

CREATE TABLE client_secret (
    tenant INTEGER NOT NULL,
    service_account BLOB NOT NULL,
    position INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    pepper_version INTEGER NOT NULL,
    keyed_hash BLOB NOT NULL CHECK (length(keyed_hash) = 32),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, service_account, position),
    FOREIGN KEY (tenant, service_account) REFERENCES service_account (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    password_is_temporary INTEGER NOT NULL CHECK (password_is_temporary IN (0, 1)),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    epoch INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    last_login INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_email ON user (tenant, email) WHERE deleted_at IS NULL;

CREATE TABLE org_unit (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    type INTEGER NOT NULL,
    id TEXT NOT NULL,
    parent_type INTEGER NOT NULL,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant, type, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX org_unit_name ON org_unit (tenant, parent_type, parent, type, name)
    WHERE deleted_at IS NULL;

CREATE TABLE access_rule (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    id INTEGER NOT NULL,
    subject_type INTEGER NOT NULL,
    subject TEXT NOT NULL,
    role INTEGER NOT NULL,
    scope_type INTEGER NOT NULL,
    scope TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX access_rule_subject
    ON access_rule (tenant, subject_type, subject, role, scope_type, scope)
    WHERE deleted_at IS NULL;
CREATE INDEX access_rule_scope ON access_rule (tenant, scope_type, scope) WHERE deleted_at IS NULL;
CREATE INDEX access_rule_role ON access_rule (tenant, role) WHERE deleted_at IS NULL;
CREATE INDEX access_rule_deleted ON access_rule (tenant, deleted_at)
    WHERE deleted_at IS NOT NULL;

CREATE TABLE signing_key (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    kid TEXT NOT NULL,
    algorithm INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    activates_at INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (tenant, kid)
) STRICT, WITHOUT ROWID;

CREATE TABLE change_event (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    noun TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE change_counter (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO change_counter VALUES (1, 0);

CREATE TABLE sequence (
    sequence INTEGER PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;
)sql";

// Users of identity providers and their groups, and what belongs to people. Lists of texts stand a
// line each. Sessions and providers that have ended are no rows any more.
inline constexpr std::string_view store_2 = R"sql(
ALTER TABLE user ADD COLUMN is_local INTEGER NOT NULL DEFAULT 1 CHECK (is_local IN (0, 1));
ALTER TABLE user ADD COLUMN group_names TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';

CREATE TABLE access_key (
    tenant INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    user BLOB NOT NULL,
    client_id TEXT NOT NULL,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    last_login INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, user) REFERENCES user (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX access_key_name ON access_key (tenant, user, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX access_key_client_id ON access_key (tenant, client_id);

CREATE TABLE access_key_secret (
    tenant INTEGER NOT NULL,
    access_key BLOB NOT NULL,
    position INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    pepper_version INTEGER NOT NULL,
    keyed_hash BLOB NOT NULL CHECK (length(keyed_hash) = 32),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, access_key, position),
    FOREIGN KEY (tenant, access_key) REFERENCES access_key (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    tenant INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    user BLOB NOT NULL,
    client_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, user) REFERENCES user (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (tenant, user);

CREATE TABLE role (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    permission_sets TEXT NOT NULL,
    kubernetes_role TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX role_name ON role (tenant, name) WHERE deleted_at IS NULL;

CREATE TABLE identity_provider (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    alias TEXT NOT NULL,
    type INTEGER NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    sealed_secret BLOB NOT NULL,
    mappers TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, alias)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant_settings (
    tenant INTEGER PRIMARY KEY REFERENCES tenant (id),
    settings TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
)sql";

// The id is tenant * 2^40 + number, so that every tenant's events stand together in their order
// without an index: a fifth cheaper to write than a key of two columns.
inline constexpr std::string_view audit_1 = R"sql(
CREATE TABLE access_event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
)sql";

// Blocks and anchors (audit_source.h) of the kind of event that the database holds. Blocks of what
// is there already are added at the next start.
inline constexpr std::string_view event_blocks = R"sql(
CREATE TABLE event_block (
    tenant INTEGER NOT NULL,
    block INTEGER NOT NULL,
    earliest INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    PRIMARY KEY (tenant, block)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_anchor (
    tenant INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
)sql";

// What has ended before its time, by the tenant's own numbers. The last row of a tenant stays.
inline constexpr std::string_view revocations = R"sql(
CREATE TABLE revocation (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_expiry ON revocation (expires_at);

ALTER TABLE tenant ADD COLUMN tokens_not_before INTEGER;
)sql";

// What bounds a credential, and what a session's tokens were narrowed to.
inline constexpr std::string_view limits = R"sql(
ALTER TABLE service_account ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE access_key ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE session ADD COLUMN narrowing TEXT NOT NULL DEFAULT '{}';
)sql";

// What is 0 to 3 in `state` is in KeyState. Keys of before were never retired; the one that waits
// for its time is known by it. No token of before lived longer than a day.
inline constexpr std::string_view key_life_cycle = R"sql(
ALTER TABLE signing_key ADD COLUMN state INTEGER NOT NULL DEFAULT 1;
ALTER TABLE signing_key ADD COLUMN token_lifetime_seconds INTEGER NOT NULL DEFAULT 86400;
ALTER TABLE signing_key ADD COLUMN burned_at INTEGER;
UPDATE signing_key SET state = CASE WHEN retired_at IS NOT NULL THEN 2
                                    WHEN activates_at > created_at THEN 0
                                    ELSE 1 END;

CREATE TABLE root_key (
    master_key_id TEXT PRIMARY KEY,
    box BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
)sql";

// Secrets beside one another, and how they were used last.
inline constexpr std::string_view secret_rotation = R"sql(
ALTER TABLE client_secret ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE client_secret ADD COLUMN expires_at INTEGER;
ALTER TABLE client_secret ADD COLUMN retired_at INTEGER;
ALTER TABLE client_secret ADD COLUMN tokens_ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client_secret ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client_secret ADD COLUMN drain_since INTEGER;
ALTER TABLE client_secret ADD COLUMN drain_seconds INTEGER NOT NULL DEFAULT 0;
UPDATE client_secret SET number = position + 1;
ALTER TABLE access_key_secret ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE access_key_secret ADD COLUMN expires_at INTEGER;
ALTER TABLE access_key_secret ADD COLUMN retired_at INTEGER;
ALTER TABLE access_key_secret ADD COLUMN tokens_ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_key_secret ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_key_secret ADD COLUMN drain_since INTEGER;
ALTER TABLE access_key_secret ADD COLUMN drain_seconds INTEGER NOT NULL DEFAULT 0;
UPDATE access_key_secret SET number = position + 1;
CREATE TABLE secret_use (
    tenant INTEGER NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 16),
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    at INTEGER NOT NULL,
    source_ip TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (tenant, key, secret)
) STRICT, WITHOUT ROWID;
)sql";

// What was used: see store/usage_rows.h. `only` keeps the table of the beginning at one row.
inline constexpr std::string_view usage_tables = R"sql(
CREATE TABLE usage_start (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    day INTEGER NOT NULL
) STRICT;
CREATE TABLE usage_permission (
    number INTEGER PRIMARY KEY,
    permission TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE usage (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    day INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    credential BLOB NOT NULL CHECK (length(credential) = 16),
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    scope_type INTEGER NOT NULL,
    scope TEXT NOT NULL,
    permissions BLOB NOT NULL,
    PRIMARY KEY (tenant, day, kind, credential, scope_type, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_credential ON usage (tenant, kind, credential, day);
)sql";

} // namespace claviger
