// SPDX-License-Identifier: Apache-2.0
// The nouns of Claviger as plain structs: what is stored, what moves between modules. No behaviour,
// no I/O. A struct here is a row as it is now; a row with `deleted_at` is kept for the record only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/day.h"
#include "base/encoding.h"
#include "base/time.h"
#include "model/ids.h"

namespace claviger {

using Digest = std::array<std::uint8_t, 32>; // SHA-256 or HMAC-SHA-256

struct Tenant {
    TenantId id{};
    std::string realm; // in /auth/realms/<realm>; unique
    std::string
        host; // lower-case host name that selects the tenant; empty: any, if it is the only one
    std::string name;
    bool enabled = true;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> tokens_not_before = {}; // whatever was issued earlier has ended
};

/// A secret is retired by itself once it has not been used for so long.
struct Drain {
    Timestamp since;
    std::int64_t seconds = 0;
};

/// One secret of a service account or access key, as kept: HMAC-SHA-256 under the pepper of
/// `pepper_version`. One that is retired is kept for a while, to be recognised if it comes back.
struct ClientSecret {
    Uuid id;
    std::uint32_t pepper_version = 1;
    Digest keyed_hash{};
    Timestamp created_at;
    std::uint32_t number = 1;                 // among all that the key ever had; tokens name it
    std::optional<Timestamp> expires_at = {}; // not good from then on
    std::optional<Timestamp> retired_at = {}; // not good any more
    bool tokens_ended = false;                // when retired: what was got with it has ended too
    bool frozen = false;                      // when retired: for now, it may be restored
    std::optional<Drain> drain = {};
};

/// How a secret was used last. Written in batches, without change log or audit.
struct SecretUse {
    TenantId tenant{};
    Uuid key; // the service account or access key
    Uuid secret;
    Timestamp at;
    std::string source_ip;
    std::string user_agent;
    Day day;
    std::uint64_t count = 0; // of the uses on that day
};

/// A machine identity. Its client id is its name; its id is never reused, its name may be.
struct ServiceAccount {
    ServiceAccountId id;
    std::string name;
    bool enabled = true;
    std::uint32_t epoch = 1; // raised to end all tokens issued before
    std::vector<ClientSecret> secrets;
    std::string limits = "{}"; // of the credential: a JSON object (auth/credential_limits.h)
    std::string created_by;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> last_login;
};

/// A user; the e-mail is the name to sign in with. One that an identity provider knows has no
/// password here.
struct User {
    UserId id;
    std::string email;
    std::string password_hash; // PHC string of the keyed password; empty: none
    bool password_is_temporary = false;
    bool is_local = true;
    std::vector<std::string> groups; // names, as access rules spell them
    std::string attributes = "{}";   // firstName, lastName, uid, gid, ...: a JSON object
    bool enabled = true;
    std::uint32_t epoch = 1;
    std::string created_by;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> last_login;
};

/// A credential that a user has made for programs: its tokens act with the user's rights.
struct AccessKey {
    AccessKeyId id;
    Uuid user; // the owner
    std::string client_id;
    std::string name; // unique among the owner's keys
    std::uint32_t epoch = 1;
    std::vector<ClientSecret> secrets;
    std::string limits = "{}"; // as of a service account
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> last_login;
};

/// One sign-in of a user: the family of refresh tokens that grew from it. Each use of a refresh
/// token makes the next generation; only the newest is good.
struct Session {
    SessionId id;
    Uuid user;
    std::string client_id; // the public client that signed in
    std::uint32_t generation = 1;
    std::string narrowing = "{}"; // of all its tokens: a JSON object (auth/narrowing.h)
    Timestamp created_at;
    Timestamp updated_at;
    Timestamp expires_at;
    std::optional<Timestamp> deleted_at; // such rows are not kept
};

/// A role that a tenant has made from permission sets; predefined roles are no rows.
struct Role {
    RoleId id;
    std::string name;
    std::string description;
    bool enabled = true;
    std::vector<Uuid> permission_sets;
    std::optional<std::string> kubernetes_role; // what it stands for in clusters
    std::string created_by;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at;
};

/// A cluster, department or project (the tenant itself is a Tenant).
struct OrgUnit {
    ScopeId id;
    ScopeId parent;
    std::string name;
    std::string description;
    std::string attributes = "{}"; // the other members of the contract, as a JSON object
    std::string created_by;
    std::string updated_by;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at;
};

enum class SubjectType : std::uint8_t { user, group, service_account };

/// Whom a rule speaks about. `value` is a user's e-mail, a group's name, or the UUID text of a
/// service account (rules bind accounts by id; users and groups need not exist yet).
struct Subject {
    SubjectType type = SubjectType::user;
    std::string value;
    friend auto operator<=>(const Subject&, const Subject&) = default;
};

struct AccessRule {
    AccessRuleId id;
    Subject subject;
    RoleId role;
    ScopeId scope;
    std::string created_by;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at;
};

enum class SigningAlgorithm : std::uint8_t { es256, rs256, ed25519 };
/// What a key signs. A key signs one kind of token only (RFC 8725 3.12).
enum class KeyPurpose : std::uint8_t { access_token, id_token, security_event };

/// The life of a signing key: published, signing, published for the tokens that are out, over.
enum class KeyState : std::uint8_t { pending, active, retiring, gone };

/// A signing key at rest. The row stays when the key is gone, without its private part.
struct SigningKey {
    TenantId tenant{};
    std::string kid; // RFC 7638 thumbprint
    SigningAlgorithm algorithm = SigningAlgorithm::es256;
    KeyPurpose purpose = KeyPurpose::access_token;
    Bytes sealed_private_key; // PKCS#8, AES-256-GCM under a key derived from the root key
    KeyState state = KeyState::active;
    std::int64_t token_lifetime_seconds = 86'400; // the longest of the tokens that it signs
    Timestamp created_at;
    Timestamp activates_at; // not before then; once active, since then
    std::optional<Timestamp> retired_at;
    std::optional<Timestamp> burned_at; // it was taken out at once: no token of it counts
};

/// The root key of the data directory at rest, sealed under a master key. There are two while a
/// new master key takes the place of the old one.
struct SealedRootKey {
    std::string master_key_id;
    Bytes box;
    Timestamp created_at;
};

enum class IdentityProviderType : std::uint8_t { saml, oidc, openshift_v4 };

/// Where users of a tenant sign in besides Claviger.
struct IdentityProvider {
    TenantId tenant{};
    std::string alias; // unique; stands in addresses
    IdentityProviderType type = IdentityProviderType::oidc;
    std::string name;
    std::string settings = "{}"; // a JSON object without the secret
    Bytes sealed_secret;         // empty: none
    std::string mappers = "{}";  // from our attributes to its claims: a JSON object
    std::string created_by;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> deleted_at; // such rows are not kept
};

/// What a tenant has set about its security and sign-in.
struct TenantSettings {
    TenantId tenant{};
    std::string values = "{}"; // a JSON object
    Timestamp updated_at;
};

/// What a revocation ends.
enum class RevocationKind : std::uint8_t {
    token,        ///< One token.
    session,      ///< All tokens of one sign-in.
    access_key,   ///< Tokens got with a key, of an epoch before this one.
    principal,    ///< Tokens of a service account or user, likewise.
    tenant,       ///< All tokens issued before.
    signing_keys, ///< Nothing by itself: the published keys have changed.
    rules,        ///< No token, but what was decided by the rules before.
    secret,       ///< Tokens got with one secret of a key.
};

/// One entry of a tenant's feed for verifiers: something that was good has ended.
struct Revocation {
    TenantId tenant{};
    std::uint64_t number = 0; // from 1, without gaps, per tenant, in the order of commits
    RevocationKind kind = RevocationKind::token;
    Uuid id;          // of the principal, key, secret or session; of a token a part of its jti
    std::string name; // a token's jti, a principal's sub, a key's client id, a kid
    std::uint32_t epoch = 0; // of the principal or key from now on; the number of a secret
    bool active = true;      // false: the principal or key is disabled or deleted
    Timestamp at;
    Timestamp expires_at;                // from then on nothing that it ends would be good anyway
    std::optional<Timestamp> deleted_at; // such rows are not kept
};

/// One link of an audit chain: hash = SHA-256(previous hash, payload).
struct AuditEntry {
    TenantId tenant{};
    std::uint64_t number = 0; // from 1, without gaps, per tenant and chain
    Timestamp at;
    std::string payload; // JSON object
    Digest hash{};
};

/// The last link of a chain; all zero before the first.
struct AuditHead {
    std::uint64_t number = 0;
    Digest hash{};
};

using Row = std::variant<Tenant, ServiceAccount, User, AccessKey, Session, Role, OrgUnit,
                         AccessRule, SigningKey, IdentityProvider, TenantSettings, Revocation>;

} // namespace claviger
