// SPDX-License-Identifier: Apache-2.0
// One tenant as a JSON document: everything but secrets, by names instead of ids, so that it can be
// put into another tenant. The document is an object of arrays; each element is one of these
// records. Members that are optional here may be left out of a file written by hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/codec.h"
#include "api/scope_text.h"
#include "cli/tenant_limits.h"

namespace claviger {

inline constexpr std::int64_t tenant_document_version = 1;

namespace tenant_section { // the arrays of the document, in the order in which they are written
inline constexpr std::string_view roles = "roles";
inline constexpr std::string_view users = "users";
inline constexpr std::string_view service_accounts = "serviceAccounts";
inline constexpr std::string_view access_keys = "accessKeys";
inline constexpr std::string_view clusters = "clusters";
inline constexpr std::string_view departments = "departments";
inline constexpr std::string_view projects = "projects";
inline constexpr std::string_view identity_providers = "identityProviders";
inline constexpr std::string_view access_rules = "accessRules";
} // namespace tenant_section

struct RoleRecord {
    std::string name;
    std::optional<std::string> description;
    std::optional<bool> enabled;
    std::vector<std::string> permission_sets; // names
    std::optional<std::string> kubernetes_role;
    std::optional<std::string> created_by;
    std::optional<Timestamp> created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(RoleRecord, (),
                      (name, description, enabled, permission_sets, kubernetes_role, created_by,
                       created_at, updated_at))

struct UserRecord {
    std::string email;
    std::optional<bool> enabled, is_local;
    std::optional<std::vector<std::string>> groups;
    std::optional<RawJson> attributes;
    std::optional<std::string> created_by;
    std::optional<Timestamp> created_at, updated_at, last_login;
};
BOOST_DESCRIBE_STRUCT(UserRecord, (),
                      (email, enabled, is_local, groups, attributes, created_by, created_at,
                       updated_at, last_login))

struct ServiceAccountRecord {
    std::string name;
    std::optional<bool> enabled;
    std::optional<std::string> created_by;
    std::optional<Timestamp> created_at, updated_at, last_login;
    std::optional<LimitsRecord> limits;
};
BOOST_DESCRIBE_STRUCT(ServiceAccountRecord, (),
                      (name, enabled, created_by, created_at, updated_at, last_login, limits))

struct AccessKeyRecord {
    std::string user; // the owner's e-mail
    std::string name;
    std::optional<std::string> client_id;
    std::optional<Timestamp> created_at, updated_at, last_login;
    std::optional<LimitsRecord> limits;
};
BOOST_DESCRIBE_STRUCT(AccessKeyRecord, (),
                      (user, name, client_id, created_at, updated_at, last_login, limits))

/// A cluster, department or project; `cluster` and `department` are the names above it.
struct OrgUnitRecord {
    std::optional<std::string> cluster, department;
    std::string name;
    std::optional<std::string> description;
    std::optional<RawJson> attributes;
    std::optional<std::string> created_by, updated_by;
    std::optional<Timestamp> created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(OrgUnitRecord, (),
                      (cluster, department, name, description, attributes, created_by, updated_by,
                       created_at, updated_at))

struct IdentityProviderRecord {
    std::string alias;
    std::string type;
    std::optional<std::string> name;
    std::optional<RawJson> settings, mappers;
    std::optional<std::string> created_by;
    std::optional<Timestamp> created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(IdentityProviderRecord, (),
                      (alias, type, name, settings, mappers, created_by, created_at, updated_at))

struct AccessRuleRecord {
    SubjectTypeText subject_type;
    std::string subject; // a user's e-mail, a group's or an account's name
    std::string role;
    std::vector<std::string> scope; // the names from the cluster down; empty: the tenant
    std::optional<std::string> created_by;
    std::optional<Timestamp> created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(AccessRuleRecord, (),
                      (subject_type, subject, role, scope, created_by, created_at, updated_at))

/// `type` of an identity provider.
std::string_view name_of(IdentityProviderType type);
std::optional<IdentityProviderType> find_identity_provider_type(std::string_view name);

} // namespace claviger
