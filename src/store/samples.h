// SPDX-License-Identifier: Apache-2.0
// For tests: a temporary directory, sample rows, and rows as text to compare them.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "store/store.h"

namespace claviger::testing {

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "claviger-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline constexpr TenantId first{1};
inline constexpr TenantId second{2};

inline Timestamp at(std::int64_t seconds) {
    return Timestamp::from_seconds(1'800'000'000 + seconds);
}

/// Distinct for distinct numbers.
inline Uuid uuid(std::uint32_t number) {
    Uuid id;
    for (std::size_t i = 0; i < 4; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * (3 - i)));
        id.bytes[15 - i] = static_cast<std::uint8_t>(number * 31 >> (8 * i));
    }
    return id;
}

inline Tenant tenant(TenantId id) {
    const std::string number = std::to_string(number_of(id));
    return {
        id, "realm" + number, "host" + number + ".example", "Tenant " + number, true, at(1), at(2),
        {}};
}

inline Revocation revocation(TenantId tenant, std::uint64_t number, Timestamp expires_at) {
    Revocation row;
    row.tenant = tenant;
    row.number = number;
    row.kind = RevocationKind::access_key;
    row.id = uuid(static_cast<std::uint32_t>(number));
    row.name = "ak-" + std::to_string(number);
    row.epoch = 7;
    row.active = false;
    row.at = at(20);
    row.expires_at = expires_at;
    return row;
}

inline ServiceAccount account(TenantId tenant, std::uint32_t number, std::string name) {
    ServiceAccount row;
    row.id = {tenant, uuid(number)};
    row.name = std::move(name);
    row.epoch = number;
    row.secrets = {{uuid(number + 1'000'000), 1, Digest{1, 2, 3}, at(3)},
                   {uuid(number), 2, Digest{4, 5}, at(4), 2, at(1000), at(900), true, true},
                   {uuid(number + 3'000'000),
                    2,
                    Digest{5, 5},
                    at(5),
                    3,
                    {},
                    {},
                    false,
                    false,
                    Drain{at(6), 3600}}};
    row.limits = R"({"expiresAt":"2027-01-15T08:00:00Z"})";
    row.created_by = "admin@example.com";
    row.created_at = at(5);
    row.updated_at = at(6);
    return row;
}

inline User user(TenantId tenant, std::uint32_t number, std::string email) {
    User row;
    row.id = {tenant, uuid(number)};
    row.email = std::move(email);
    row.password_hash = "$argon2id$sample";
    row.password_is_temporary = true;
    row.created_by = "admin@example.com";
    row.created_at = at(7);
    row.updated_at = at(8);
    return row;
}

inline AccessKey access_key(UserId owner, std::uint32_t number, std::string name) {
    AccessKey row;
    row.id = {owner.tenant, uuid(number)};
    row.user = owner.value;
    row.client_id = "ak-" + std::to_string(number);
    row.name = std::move(name);
    row.epoch = number;
    row.secrets = {{uuid(number + 2'000'000), 1, Digest{6, 7}, at(31)}};
    row.limits = R"({"addresses":["192.0.2.0/24"]})";
    row.created_at = at(32 + number);
    row.updated_at = at(33 + number);
    return row;
}

inline Session session(UserId user, std::uint32_t number) {
    Session row;
    row.id = {user.tenant, uuid(number)};
    row.user = user.value;
    row.client_id = "runai";
    row.generation = number;
    row.narrowing = R"({"scope":"project:read"})";
    row.created_at = at(34 + number);
    row.updated_at = at(35 + number);
    row.expires_at = at(3600);
    return row;
}

inline Role role(TenantId tenant, std::int32_t number, std::string name) {
    Role row;
    row.id = {tenant, number};
    row.name = std::move(name);
    row.description = "what it is for";
    row.enabled = false;
    row.permission_sets = {uuid(71), uuid(72)};
    row.kubernetes_role = "view";
    row.created_by = "admin@example.com";
    row.created_at = at(36);
    row.updated_at = at(37);
    return row;
}

inline IdentityProvider identity_provider(TenantId tenant, std::string alias) {
    IdentityProvider row;
    row.tenant = tenant;
    row.alias = std::move(alias);
    row.type = IdentityProviderType::openshift_v4;
    row.name = "A provider";
    row.settings = R"({"clientId":"c"})";
    row.sealed_secret = {0, 9, 0xFF};
    row.mappers = R"({"email":"mail"})";
    row.created_by = "admin@example.com";
    row.created_at = at(38);
    row.updated_at = at(39);
    return row;
}

inline TenantSettings tenant_settings(TenantId tenant) {
    return {tenant, R"({"logoutRedirectUri":{"uri":"x"}})", at(40)};
}

inline OrgUnit unit(ScopeId id, ScopeId parent, std::string name) {
    OrgUnit row;
    row.id = std::move(id);
    row.parent = std::move(parent);
    row.name = std::move(name);
    row.description = "a place";
    row.attributes = R"({"labels":["a"]})";
    row.created_by = "admin@example.com";
    row.updated_by = "other@example.com";
    row.created_at = at(9);
    row.updated_at = at(10);
    return row;
}

inline AccessRule rule(TenantId tenant, std::int32_t number, std::string subject) {
    AccessRule row;
    row.id = {tenant, number};
    row.subject = {SubjectType::user, std::move(subject)};
    row.role = {tenant, 2};
    row.scope = tenant_scope(tenant);
    row.created_by = "admin@example.com";
    row.created_at = at(11);
    row.updated_at = at(12);
    return row;
}

inline SigningKey signing_key(TenantId tenant, std::string kid) {
    SigningKey row;
    row.tenant = tenant;
    row.kid = std::move(kid);
    row.algorithm = SigningAlgorithm::ed25519;
    row.purpose = KeyPurpose::id_token;
    row.sealed_private_key = {0, 1, 2, 0xFF};
    row.created_at = at(13);
    row.state = KeyState::retiring;
    row.token_lifetime_seconds = 3600;
    row.activates_at = at(14);
    return row;
}

/// The last entry of a chain.
inline AuditHead audit_head(AuditSource& source, TenantId tenant) {
    const auto reader = source.open_audit_reader();
    return reader ? (*reader)->head(tenant).value() : AuditHead{};
}

/// The entries of a chain from number `from` on.
inline Result<void> for_each_entry(AuditSource& source, TenantId tenant, std::uint64_t from,
                                   const AuditVisitor& visit) {
    const auto reader = TRY(source.open_audit_reader());
    return reader->for_each(tenant, from, (std::uint64_t{1} << 40) - 1, visit);
}

inline AuditEntry change_event(TenantId tenant, std::uint64_t number) {
    Digest hash{};
    hash[0] = static_cast<std::uint8_t>(number);
    return {tenant, number, at(15), "{\"number\":" + std::to_string(number) + "}", hash};
}

/// A chain hash for tests: not secure, but it depends on every byte before.
inline Digest test_chain(const Digest& previous, std::string_view payload) {
    Digest next{};
    std::uint64_t mix = 0xCBF29CE484222325ULL;
    for (std::size_t i = 0; i < next.size() + payload.size(); ++i) {
        const auto byte =
            i < next.size() ? previous[i] : static_cast<std::uint8_t>(payload[i - next.size()]);
        mix = (mix ^ byte) * 0x100000001B3ULL;
    }
    for (std::size_t i = 0; i < next.size(); ++i) {
        mix = mix * 6364136223846793005ULL + 1442695040888963407ULL;
        next[i] = static_cast<std::uint8_t>(mix >> 56);
    }
    return next;
}

inline Digest test_hash(std::span<const std::uint8_t> bytes) {
    return test_chain({}, as_text(bytes));
}

namespace detail {

template <class... Parts>
std::string join(const Parts&... parts) {
    std::string out;
    ((out += parts, out += '|'), ...);
    return out;
}
inline std::string text(Timestamp time) {
    return std::to_string(time.microseconds);
}
inline std::string text(const std::optional<Timestamp>& time) {
    return time ? text(*time) : "never";
}
template <class Enum>
std::string number(Enum value) {
    return std::to_string(static_cast<long>(value));
}
inline std::string text(const ScopeId& id) {
    return number(id.tenant) + "/" + number(id.type) + "/" + id.value;
}

inline std::string text(const Tenant& row) {
    return join("tenant", number(row.id), row.realm, row.host, row.name, number(row.enabled),
                text(row.created_at), text(row.updated_at), text(row.tokens_not_before));
}
inline std::string text(const Revocation& row) {
    return join("revocation", number(row.tenant), std::to_string(row.number), number(row.kind),
                row.id.text(), row.name, number(row.epoch), number(row.active), text(row.at),
                text(row.expires_at), text(row.deleted_at));
}
inline std::string text(const std::vector<ClientSecret>& secrets) {
    std::string all;
    for (const ClientSecret& secret : secrets) {
        all += join(secret.id.text(), number(secret.pepper_version), hex(secret.keyed_hash),
                    text(secret.created_at), number(secret.number), text(secret.expires_at),
                    text(secret.retired_at), number(secret.tokens_ended), number(secret.frozen),
                    secret.drain ? text(secret.drain->since) + number(secret.drain->seconds) : "");
    }
    return all;
}
inline std::string text(const AccessKey& row) {
    return join("access key", number(row.id.tenant), row.id.value.text(), row.user.text(),
                row.client_id, row.name, number(row.epoch), text(row.secrets), row.limits,
                text(row.created_at), text(row.updated_at), text(row.deleted_at),
                text(row.last_login));
}
inline std::string text(const Session& row) {
    return join("session", number(row.id.tenant), row.id.value.text(), row.user.text(),
                row.client_id, number(row.generation), row.narrowing, text(row.created_at),
                text(row.updated_at), text(row.expires_at), text(row.deleted_at));
}
inline std::string text(const Role& row) {
    std::string sets;
    for (const Uuid& id : row.permission_sets) {
        sets += id.text() + ",";
    }
    return join("role", number(row.id.tenant), number(row.id.value), row.name, row.description,
                number(row.enabled), sets, row.kubernetes_role.value_or("none"), row.created_by,
                text(row.created_at), text(row.updated_at), text(row.deleted_at));
}
inline std::string text(const IdentityProvider& row) {
    return join("provider", number(row.tenant), row.alias, number(row.type), row.name, row.settings,
                hex(row.sealed_secret), row.mappers, row.created_by, text(row.created_at),
                text(row.updated_at), text(row.deleted_at));
}
inline std::string text(const TenantSettings& row) {
    return join("settings", number(row.tenant), row.values, text(row.updated_at));
}
inline std::string text(const ServiceAccount& row) {
    return join("account", number(row.id.tenant), row.id.value.text(), row.name,
                number(row.enabled), number(row.epoch), text(row.secrets), row.limits,
                row.created_by, text(row.created_at), text(row.updated_at), text(row.deleted_at),
                text(row.last_login));
}
inline std::string text(const User& row) {
    std::string groups;
    for (const std::string& group : row.groups) {
        groups += group + ",";
    }
    return join("user", number(row.id.tenant), row.id.value.text(), row.email, row.password_hash,
                number(row.password_is_temporary), number(row.is_local), groups, row.attributes,
                number(row.enabled), number(row.epoch), row.created_by, text(row.created_at),
                text(row.updated_at), text(row.deleted_at), text(row.last_login));
}
inline std::string text(const OrgUnit& row) {
    return join("unit", text(row.id), text(row.parent), row.name, row.description, row.attributes,
                row.created_by, row.updated_by, text(row.created_at), text(row.updated_at),
                text(row.deleted_at));
}
inline std::string text(const AccessRule& row) {
    return join("rule", number(row.id.tenant), number(row.id.value), number(row.subject.type),
                row.subject.value, number(row.role.tenant), number(row.role.value), text(row.scope),
                row.created_by, text(row.created_at), text(row.updated_at), text(row.deleted_at));
}
inline std::string text(const SigningKey& row) {
    return join("key", number(row.tenant), row.kid, number(row.algorithm), number(row.purpose),
                hex(row.sealed_private_key), number(row.state), number(row.token_lifetime_seconds),
                text(row.created_at), text(row.activates_at), text(row.retired_at),
                text(row.burned_at));
}

} // namespace detail

/// Every field of a row, so that rows with equal texts are equal.
inline std::string text_of(const Row& row) {
    return std::visit([](const auto& noun) { return detail::text(noun); }, row);
}

/// What load() gives, in its order.
inline std::vector<std::string> loaded(Store& store) {
    std::vector<std::string> rows;
    const auto done = store.load([&](const Row& row) { rows.push_back(text_of(row)); });
    if (!done) {
        rows.push_back("load failed: " + done.error().detail());
    }
    return rows;
}

/// Puts one row in a write of its own.
inline Result<void> put(Store& store, const Row& row) {
    return store.write([&](Transaction& transaction) {
        struct Put {
            Transaction& to;
            Result<void> operator()(const Tenant& noun) const { return to.tenants().put(noun); }
            Result<void> operator()(const ServiceAccount& noun) const {
                return to.service_accounts().put(noun);
            }
            Result<void> operator()(const User& noun) const { return to.users().put(noun); }
            Result<void> operator()(const AccessKey& noun) const {
                return to.access_keys().put(noun);
            }
            Result<void> operator()(const Session& noun) const { return to.sessions().put(noun); }
            Result<void> operator()(const Role& noun) const { return to.roles().put(noun); }
            Result<void> operator()(const IdentityProvider& noun) const {
                return to.identity_providers().put(noun);
            }
            Result<void> operator()(const TenantSettings& noun) const {
                return to.tenant_settings().put(noun);
            }
            Result<void> operator()(const OrgUnit& noun) const { return to.org_units().put(noun); }
            Result<void> operator()(const AccessRule& noun) const {
                return to.access_rules().put(noun);
            }
            Result<void> operator()(const SigningKey& noun) const {
                return to.signing_keys().put(noun);
            }
            Result<void> operator()(const Revocation& noun) const {
                return to.revocations().append(noun);
            }
        };
        return std::visit(Put{transaction}, row);
    });
}

} // namespace claviger::testing
