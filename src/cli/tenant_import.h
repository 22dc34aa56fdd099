// SPDX-License-Identifier: Apache-2.0
// Puts the records of a tenant document into a tenant, inside one transaction of the store: either
// all of it or, when anything is wrong, nothing. Objects that are there already and say the same
// are left alone, so that a document can be imported twice; those that differ are problems.
// Nobody gets a secret: users need a password, accounts and keys a new secret afterwards.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/directory.h"
#include "auth/tenants.h"
#include "base/random.h"
#include "cli/tenant_document.h"
#include "cli/tenant_records.h"
#include "store/store.h"

namespace claviger {

class TenantImport {
public:
    /// `state` is the tenant as of the transaction's beginning.
    TenantImport(const TenantState& state, Transaction& transaction, Timestamp now, Random& random);

    /// Fails when the store does. What is wrong with the document is in problems(): then the
    /// transaction must be given up.
    Result<void> run(const TenantDocument& document);

    /// In the order of their lines.
    const std::vector<DocumentProblem>& problems() const { return problems_; }
    /// How many objects were added, by section.
    const std::map<std::string, std::size_t, std::less<>>& added() const { return added_; }
    std::size_t unchanged() const { return unchanged_; }

private:
    using Path = std::vector<std::string>; // the names from the cluster down
    template <class Record>
    using Import = Result<void> (TenantImport::*)(const Record&);

    template <class Record>
    Result<void> import_each(const TenantDocument& document, std::string_view section,
                             Import<Record> import);
    Result<void> import_settings(const TenantDocument& document);
    Result<void> import_role(const RoleRecord& record);
    Result<void> import_user(const UserRecord& record);
    Result<void> import_account(const ServiceAccountRecord& record);
    Result<void> import_access_key(const AccessKeyRecord& record);
    Result<void> import_cluster(const OrgUnitRecord& record);
    Result<void> import_department(const OrgUnitRecord& record);
    Result<void> import_project(const OrgUnitRecord& record);
    Result<void> import_identity_provider(const IdentityProviderRecord& record);
    Result<void> import_access_rule(const AccessRuleRecord& record);

    Result<void> import_unit(const OrgUnitRecord& record, ScopeType type, Path path);
    Result<void> put_unit(OrgUnit unit, const Path& path);
    Result<void> add_default_departments();
    Result<std::optional<Subject>> find_subject(const AccessRuleRecord& record);
    Result<void> note_added(std::string_view entity_type, std::string id, std::string name);
    /// Nothing, and a problem, when a name in it is unknown.
    std::optional<std::string> limits_of_record(const std::optional<LimitsRecord>& record);
    /// What is there already says the same, or differs in what the problem will name.
    void note_existing(bool is_same, std::string_view what);
    void add_problem(std::string text);
    /// When and by whom a row was made, as far as the record says.
    template <class Record, class Noun>
    void fill(const Record& record, Noun& row) const {
        row.created_at = record.created_at.value_or(now_);
        row.updated_at = record.updated_at.value_or(row.created_at);
        if constexpr (requires { row.created_by; }) {
            row.created_by = record.created_by.value_or(operator_name);
        }
    }

    const TenantState& state_;
    Transaction& transaction_;
    Timestamp now_;
    Random& random_;
    TenantId tenant_;
    std::map<Path, ScopeId> places_;
    std::set<Path> bad_places_; // declared, with problems of their own
    std::set<std::pair<std::string, std::string>> project_names_; // cluster and name
    std::vector<Path> new_clusters_;
    std::map<std::string, std::int32_t, std::less<>> roles_;
    std::string section_; // that is being read
    std::size_t line_ = 0;
    std::vector<DocumentProblem> problems_;
    std::map<std::string, std::size_t, std::less<>> added_;
    std::size_t unchanged_ = 0;
};

} // namespace claviger
