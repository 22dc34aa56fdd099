// SPDX-License-Identifier: Apache-2.0
// The other half of TenantImport: the tree, what stands at its root, and the access rules.
#include "cli/tenant_import.h"

#include <algorithm>

#include <boost/json.hpp>

#include "api/unit_attributes.h"
#include "auth/access_rules.h"
#include "auth/names.h"
#include "auth/org_units.h"
#include "auth/tenants.h"
#include "base/strict_json.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr StrictJsonLimits value_limits{.max_depth = 16, .max_members = 256};

/// What a cluster may say about itself.
struct ClusterAttributesRecord {
    std::optional<std::string> domain, version;
};
BOOST_DESCRIBE_STRUCT(ClusterAttributesRecord, (), (domain, version))

template <class Attributes>
Result<Attributes> read_attributes(const RawJson& attributes) {
    const json::value value = TRY(parse_strict_json(attributes.text, value_limits));
    if (!value.is_object()) {
        return fail(ErrorCode::invalid_request, "attributes must be an object");
    }
    return decode_object<Attributes>(value.get_object());
}

/// Attributes as the store keeps them.
Result<std::string> stored_attributes(ScopeType type, const std::optional<RawJson>& attributes) {
    if (!attributes) {
        return std::string("{}");
    }
    if (type != ScopeType::cluster) {
        const auto read = TRY(read_attributes<UnitAttributes>(*attributes));
        return attributes_text(read); // which checks them
    }
    const auto read = TRY(read_attributes<ClusterAttributesRecord>(*attributes));
    std::string text;
    JsonWriter out(text);
    encode(out, read);
    return text;
}

std::string text_of_path(const std::vector<std::string>& path) {
    std::string text;
    for (const std::string& name : path) {
        text += (text.empty() ? "" : "/") + name;
    }
    return text;
}

} // namespace

// --- the tree -----------------------------------------------------------------------------------

Result<void> TenantImport::import_cluster(const OrgUnitRecord& record) {
    if (record.cluster || record.department) {
        add_problem("a cluster stands in no other cluster or department");
        return {};
    }
    return import_unit(record, ScopeType::cluster, {record.name});
}

Result<void> TenantImport::import_department(const OrgUnitRecord& record) {
    if (!record.cluster || record.department) {
        add_problem("a department needs the member cluster, and stands in no other department");
        return {};
    }
    return import_unit(record, ScopeType::department, {*record.cluster, record.name});
}

Result<void> TenantImport::import_project(const OrgUnitRecord& record) {
    if (!record.cluster) {
        add_problem("a project needs the member cluster");
        return {};
    }
    return import_unit(record, ScopeType::project,
                       {*record.cluster,
                        record.department.value_or(std::string(default_department)), record.name});
}

Result<void> TenantImport::import_unit(const OrgUnitRecord& record, ScopeType type, Path path) {
    const Path above(path.begin(), path.end() - 1);
    const auto parent = places_.find(above);
    const auto attributes = stored_attributes(type, record.attributes);
    std::string wrong;
    if (!is_display_name(record.name)) {
        wrong = "name must be 1 to 255 bytes of text without control characters";
    } else if (!attributes) {
        wrong = attributes.error().detail();
    } else if (parent == places_.end() && !bad_places_.contains(above)) {
        wrong = "there is no " + text_of_path(above);
    }
    if (!wrong.empty() || parent == places_.end()) {
        bad_places_.insert(std::move(path));
        if (!wrong.empty()) {
            add_problem(std::move(wrong));
        }
        return {};
    }
    OrgUnit unit;
    unit.id = {tenant_, type, {}};
    unit.parent = parent->second;
    unit.name = record.name;
    unit.description = record.description.value_or("");
    unit.attributes = *attributes;
    unit.updated_by = record.updated_by.value_or(record.created_by.value_or(operator_name));
    fill(record, unit);
    return put_unit(std::move(unit), path);
}

Result<void> TenantImport::put_unit(OrgUnit unit, const Path& path) {
    const auto there = places_.find(path);
    if (there != places_.end()) {
        const auto same = TRY(transaction_.org_units().find(there->second));
        note_existing(same && same->description == unit.description &&
                          same->attributes == unit.attributes,
                      text_of_path(path));
        return {};
    }
    const bool is_project = unit.id.type == ScopeType::project;
    if (is_project && !project_names_.emplace(path.front(), path.back()).second) {
        bad_places_.insert(path);
        add_problem("another project of this cluster has this name");
        return {};
    }
    if (unit.id.type == ScopeType::cluster) {
        unit.id.value = Uuid::make(random_).text();
        new_clusters_.push_back(path);
    } else {
        const std::int32_t number = TRY(transaction_.next(Sequence::org_unit));
        unit.id.value = std::to_string(number);
    }
    places_.emplace(path, unit.id);
    TRY(transaction_.org_units().put(unit));
    return note_added(resource_type_of(unit.id.type), unit.id.value, unit.name);
}

/// As when a cluster is made by the API.
Result<void> TenantImport::add_default_departments() {
    section_ = tenant_section::departments;
    for (const Path& cluster : new_clusters_) {
        const Path path{cluster.front(), std::string(default_department)};
        if (places_.contains(path) || bad_places_.contains(path)) {
            continue;
        }
        OrgUnit unit;
        unit.id = {tenant_, ScopeType::department, {}};
        unit.parent = places_.at(cluster);
        unit.name = default_department;
        unit.created_by = operator_name;
        unit.updated_by = operator_name;
        unit.created_at = now_;
        unit.updated_at = now_;
        TRY(put_unit(std::move(unit), path));
    }
    return {};
}

// --- what stands at the root --------------------------------------------------------------------

Result<void> TenantImport::import_identity_provider(const IdentityProviderRecord& record) {
    const auto type = find_identity_provider_type(record.type);
    const bool is_alias =
        !record.alias.empty() && record.alias.size() <= 63 &&
        std::ranges::all_of(record.alias, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
    IdentityProvider provider;
    provider.tenant = tenant_;
    provider.alias = record.alias;
    provider.type = type.value_or(IdentityProviderType::oidc);
    provider.name = record.name.value_or("");
    provider.settings = record.settings.value_or(RawJson{"{}"}).text;
    provider.mappers = record.mappers.value_or(RawJson{"{}"}).text;
    fill(record, provider);
    if (!type || !is_alias || !provider.settings.starts_with('{') ||
        !provider.mappers.starts_with('{')) {
        add_problem("alias must match ^[a-z0-9_-]+$, type be saml, oidc or openshift-v4, settings "
                    "and mappers objects");
        return {};
    }
    const auto same = TRY(transaction_.identity_providers().find(tenant_, provider.alias));
    if (same) {
        note_existing(same->type == provider.type && same->name == provider.name &&
                          same->settings == provider.settings && same->mappers == provider.mappers,
                      "an identity provider of this alias");
        return {};
    }
    TRY(transaction_.identity_providers().put(provider));
    return note_added("security-settings", provider.alias, provider.alias);
}

Result<void> TenantImport::import_settings(const TenantDocument& document) {
    section_ = "settings";
    line_ = document.settings_line;
    const auto before = TRY(transaction_.tenant_settings().find(tenant_));
    const std::string values = before ? before->values : "{}";
    if (document.settings == "{}" || document.settings == values) {
        return {};
    }
    if (values != "{}") {
        note_existing(false, "what the tenant has set");
        return {};
    }
    TRY(transaction_.tenant_settings().put({tenant_, document.settings, now_}));
    return note_added("security-settings", "", "settings");
}

// --- access rules -------------------------------------------------------------------------------

Result<std::optional<Subject>> TenantImport::find_subject(const AccessRuleRecord& record) {
    const SubjectType type = record.subject_type.value;
    if (type == SubjectType::service_account) {
        const auto account =
            TRY(transaction_.service_accounts().find_by_name(tenant_, record.subject));
        if (!account) {
            add_problem("there is no service account " + record.subject);
            return std::optional<Subject>();
        }
        return std::optional(Subject{type, account->id.value.text()});
    }
    const bool is_user = type == SubjectType::user;
    if (is_user ? !is_email_address(record.subject) : !is_display_name(record.subject)) {
        add_problem(is_user ? "subject is no e-mail address" : "subject is no name of a group");
        return std::optional<Subject>();
    }
    return std::optional(Subject{type, is_user ? ascii_lower(record.subject) : record.subject});
}

Result<void> TenantImport::import_access_rule(const AccessRuleRecord& record) {
    const auto role = roles_.find(record.role);
    if (role == roles_.end()) {
        add_problem("there is no role " + record.role);
        return {};
    }
    const auto place = places_.find(record.scope);
    if (place == places_.end()) {
        if (!bad_places_.contains(record.scope)) { // its own problem says enough
            add_problem("there is no " + text_of_path(record.scope));
        }
        return {};
    }
    const auto subject = TRY(find_subject(record));
    if (!subject) {
        return {};
    }
    AccessRule rule;
    rule.id.tenant = tenant_;
    rule.subject = *subject;
    rule.role = {tenant_, role->second};
    rule.scope = place->second;
    fill(record, rule);
    const auto same = TRY(transaction_.access_rules().find_same(rule));
    if (same) {
        ++unchanged_;
        return {};
    }
    rule.id.value = TRY(transaction_.next(Sequence::access_rule));
    TRY(transaction_.access_rules().put(rule));
    return note_added("access_rules", std::to_string(rule.id.value), record.subject);
}

} // namespace claviger
