// SPDX-License-Identifier: Apache-2.0
#include "cli/tenant_import.h"

#include <algorithm>

#include <boost/json.hpp>

#include "access/permission_sets.h"
#include "auth/audit.h"
#include "auth/names.h"
#include "auth/org_units.h"
#include "auth/tenants.h"
#include "base/strict_json.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr StrictJsonLimits record_limits{.max_depth = 16, .max_members = 256};
constexpr std::size_t most_roles = 1000;
constexpr std::size_t most_access_keys = 20; // of one user

/// A member that no record of this kind has is a slip of the pen.
template <class Record>
Result<void> check_members(const json::object& object) {
    for (const auto& [name, value] : object) {
        bool known = false;
        for_each_member<Record>([&](auto member) {
            known = known || wire_name<Record>(member) == std::string_view(name);
        });
        if (!known) {
            return fail(ErrorCode::invalid_request, "there is no member " + std::string(name));
        }
    }
    return {};
}

template <class Record>
Result<Record> read_record(std::string_view text) {
    const json::value value = TRY(parse_strict_json(text, record_limits));
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return fail(ErrorCode::invalid_request, "it is no object");
    }
    TRY(check_members<Record>(*object));
    return decode_object<Record>(*object);
}

} // namespace

TenantImport::TenantImport(const TenantState& state, Transaction& transaction, Timestamp now,
                           Random& random)
    : state_(state), transaction_(transaction), now_(now), random_(random),
      tenant_(state.tenant.id) {
    const AccessSnapshot& access = state.access;
    places_.emplace(Path(), tenant_scope(tenant_));
    for (const ScopeType type : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        access.for_each_unit(type, [&](NodeIndex node, const OrgUnit& unit) {
            Path path;
            for (auto at = std::optional(node); at && *at != access.root();
                 at = access.parent(*at)) {
                path.insert(path.begin(), std::string(access.name(*at)));
            }
            if (type == ScopeType::project) {
                project_names_.emplace(path.front(), path.back());
            }
            places_.emplace(std::move(path), unit.id);
        });
    }
    for (const PredefinedRole& role : predefined_roles()) {
        roles_.emplace(role.name, role.number);
    }
    access.for_each_own_role(
        [&](const OwnRole& role) { roles_.emplace(role.row.name, role.row.id.value); });
}

template <class Record>
Result<void> TenantImport::import_each(const TenantDocument& document, std::string_view section,
                                       Import<Record> import) {
    const auto at = document.sections.find(section);
    if (at == document.sections.end()) {
        return {};
    }
    section_ = section;
    for (const TenantRecord& record : at->second) {
        line_ = record.line;
        const auto read = read_record<Record>(record.text);
        if (read) {
            TRY((this->*import)(*read));
        } else {
            add_problem(read.error().detail());
        }
    }
    return {};
}

Result<void> TenantImport::run(const TenantDocument& document) {
    using namespace tenant_section;
    TRY(import_each(document, tenant_section::roles, &TenantImport::import_role));
    TRY(import_each(document, users, &TenantImport::import_user));
    TRY(import_each(document, clusters, &TenantImport::import_cluster));
    TRY(import_each(document, departments, &TenantImport::import_department));
    TRY(add_default_departments());
    TRY(import_each(document, projects, &TenantImport::import_project));
    TRY(import_each(document, service_accounts, &TenantImport::import_account)); // name scopes
    TRY(import_each(document, access_keys, &TenantImport::import_access_key));
    TRY(import_each(document, identity_providers, &TenantImport::import_identity_provider));
    TRY(import_settings(document));
    TRY(import_each(document, access_rules, &TenantImport::import_access_rule));
    std::ranges::stable_sort(problems_, {}, &DocumentProblem::line);
    return {};
}

void TenantImport::add_problem(std::string text) {
    problems_.push_back({line_, section_ + ": " + std::move(text)});
}

void TenantImport::note_existing(bool is_same, std::string_view what) {
    if (is_same) {
        ++unchanged_;
    } else {
        add_problem(std::string(what) + " exists already and is different");
    }
}

Result<void> TenantImport::note_added(std::string_view entity_type, std::string id,
                                      std::string name) {
    ++added_[section_];
    return append_change_event(transaction_, operator_event(tenant_, now_, audit_action::create,
                                                            std::string(entity_type), std::move(id),
                                                            std::move(name)));
}

// --- people and accounts ------------------------------------------------------------------------

Result<void> TenantImport::import_role(const RoleRecord& record) {
    Role role;
    role.name = record.name;
    role.description = record.description.value_or("");
    role.enabled = record.enabled.value_or(true);
    role.kubernetes_role = record.kubernetes_role;
    fill(record, role);
    for (const std::string& name : record.permission_sets) {
        const auto sets = predefined_permission_sets();
        const auto set = std::ranges::find(sets, name, &PredefinedPermissionSet::name);
        if (set == sets.end()) {
            add_problem("there is no permission set " + name);
            return {};
        }
        role.permission_sets.push_back(set->id);
    }
    if (!is_display_name(role.name) ||
        find_role(roles_.contains(role.name) ? roles_.find(role.name)->second : 0) != nullptr) {
        add_problem("the name is malformed or that of a predefined role");
        return {};
    }
    const auto same = TRY(transaction_.roles().find_by_name(tenant_, role.name));
    if (same) {
        note_existing(same->description == role.description && same->enabled == role.enabled &&
                          same->permission_sets == role.permission_sets &&
                          same->kubernetes_role == role.kubernetes_role,
                      "a role of this name");
        return {};
    }
    if (roles_.size() >= most_roles) {
        add_problem("a tenant has at most 1000 roles");
        return {};
    }
    const std::int32_t number = TRY(transaction_.next(Sequence::role));
    role.id = {tenant_, first_own_role + number};
    roles_[role.name] = role.id.value;
    TRY(transaction_.roles().put(role));
    return note_added("roles", std::to_string(role.id.value), role.name);
}

Result<void> TenantImport::import_user(const UserRecord& record) {
    User user;
    user.email = ascii_lower(record.email);
    user.enabled = record.enabled.value_or(true);
    user.is_local = record.is_local.value_or(true);
    user.groups = record.groups.value_or(std::vector<std::string>{});
    user.attributes = record.attributes.value_or(RawJson{"{}"}).text;
    user.last_login = record.last_login;
    fill(record, user);
    if (!is_email_address(user.email)) {
        add_problem("email is no e-mail address");
        return {};
    }
    if (!std::ranges::all_of(user.groups, is_display_name)) {
        add_problem("a group has no name");
        return {};
    }
    if (!user.attributes.starts_with('{')) {
        add_problem("attributes must be an object");
        return {};
    }
    const auto same = TRY(transaction_.users().find_by_email(tenant_, user.email));
    if (same) {
        note_existing(same->enabled == user.enabled && same->is_local == user.is_local &&
                          same->groups == user.groups && same->attributes == user.attributes,
                      "a user of this e-mail");
        return {};
    }
    user.id = {tenant_, Uuid::make(random_)};
    TRY(transaction_.users().put(user));
    return note_added("users", user.id.value.text(), user.email);
}

Result<void> TenantImport::import_account(const ServiceAccountRecord& record) {
    if (!is_resource_name(record.name) || record.name.starts_with(access_key_prefix)) {
        add_problem("name must match ^[a-z][-_a-z0-9]*[a-z0-9]$ and not begin with \"ak-\"");
        return {};
    }
    const bool enabled = record.enabled.value_or(true);
    const auto limits = limits_of_record(record.limits);
    if (!limits) {
        return {};
    }
    const auto same = TRY(transaction_.service_accounts().find_by_name(tenant_, record.name));
    if (same) {
        note_existing(same->enabled == enabled && same->limits == *limits,
                      "a service account of this name");
        return {};
    }
    ServiceAccount account;
    account.id = {tenant_, Uuid::make(random_)};
    account.name = record.name;
    account.enabled = enabled;
    account.limits = *limits;
    account.last_login = record.last_login;
    fill(record, account);
    TRY(transaction_.service_accounts().put(account));
    return note_added("service-account", account.id.value.text(), account.name);
}

Result<void> TenantImport::import_access_key(const AccessKeyRecord& record) {
    const auto owner = TRY(transaction_.users().find_by_email(tenant_, ascii_lower(record.user)));
    if (!owner || !is_resource_name(record.name)) {
        add_problem(owner ? "name must match ^[a-z][-_a-z0-9]*[a-z0-9]$"
                          : "there is no user " + record.user);
        return {};
    }
    AccessKey key;
    key.client_id = record.client_id.value_or(make_access_key_client_id(random_));
    if (!is_access_key_client_id(key.client_id)) {
        add_problem("clientId must be \"ak-\" and 16 characters of a-z and 2-7");
        return {};
    }
    const auto limits = limits_of_record(record.limits);
    if (!limits) {
        return {};
    }
    const auto same = TRY(transaction_.access_keys().find_by_name(owner->id, record.name));
    if (same) {
        const bool is_same_client = !record.client_id || same->client_id == key.client_id;
        note_existing(is_same_client && same->limits == *limits, "an access key of this name");
        return {};
    }
    const auto others = TRY(transaction_.access_keys().of_user(owner->id));
    if (others.size() >= most_access_keys) {
        add_problem("a user has at most 20 access keys");
        return {};
    }
    key.id = {tenant_, Uuid::make(random_)};
    key.user = owner->id.value;
    key.name = record.name;
    key.limits = *limits;
    key.last_login = record.last_login;
    fill(record, key);
    const auto put = transaction_.access_keys().put(key);
    if (!put && put.error().code() == ErrorCode::conflict) {
        add_problem("clientId belongs to another access key");
        return {};
    }
    TRY(put);
    return note_added("access-keys", key.id.value.text(), key.name);
}

} // namespace claviger
