// SPDX-License-Identifier: Apache-2.0
#include "api/rule_selection.h"

#include <algorithm>
#include <set>

namespace claviger {
namespace {

constexpr std::string_view subject_field = "subjectId";

template <class Value, class Actual>
bool is_wanted(const std::optional<Value>& wanted, const Actual& actual) {
    return !wanted || *wanted == actual;
}

/// Users and groups are shared by their rules, so that their texts need not be compared.
bool have_same_subject(const RuleInPlace& a, const RuleInPlace& b) {
    return a.account != nullptr && b.account != nullptr
               ? *a.account == *b.account
               : a.account == b.account && a.named == b.named;
}

} // namespace

Result<RuleSelection> RuleSelection::begin(const Context& context,
                                           const AccessRulesRequest& request) {
    RuleSelection selection(context, request);
    selection.search_ = request.search.value_or("");
    selection.asks_for_subjects_ =
        request.subject_type || request.subject_id_filter || request.subject_ids;
    TRY(selection.read_filter());
    if (request.last_updated) {
        selection.updated_since_ = parse_rfc3339(*request.last_updated);
        if (!selection.updated_since_) {
            return fail(ErrorCode::invalid_request, "lastUpdated is no RFC 3339 time");
        }
    }
    const AccessSnapshot& access = context.access();
    if (request.cluster_id) {
        selection.cluster_ =
            access.find({context.caller.tenant(), ScopeType::cluster, *request.cluster_id});
    }
    const Rights rights = rights_of(context.caller.principal);
    selection.reach_ = permitted_scopes(access, rights.holder(),
                                        {*find_resource_type("access_rules"), Action::read});
    return selection;
}

Result<void> RuleSelection::read_filter() {
    if (!request_.filter_by) {
        return {};
    }
    std::vector<std::string_view> names;
    std::vector<FieldKind> kinds;
    for (const auto& field : access_rule_fields()) {
        names.push_back(field.name);
        kinds.push_back(field.kind);
    }
    for (FilterTerm& term : TRY(parse_filter(*request_.filter_by, names, kinds))) {
        const Part part = part_of(names[term.field]);
        terms_[static_cast<std::size_t>(part)].push_back(std::move(term));
    }
    asks_for_subjects_ = asks_for_subjects_ || has_terms(Part::subject);
    return {};
}

bool RuleSelection::is_everything() const {
    const bool is_filtered =
        std::ranges::any_of(terms_, [](const auto& terms) { return !terms.empty(); });
    const bool is_all_in_reach =
        std::ranges::find(reach_, context_.access().root()) != reach_.end();
    return is_all_in_reach && !is_filtered && !asks_for_subjects_ && search_.empty() &&
           !updated_since_ && !request_.scope_id && !request_.scope_type && !request_.cluster_id &&
           !request_.role_id;
}

RuleSelection::Part RuleSelection::part_of(std::string_view field) {
    if (field.starts_with("role")) {
        return Part::role;
    }
    if (field.starts_with("scope")) {
        return Part::scope;
    }
    if (field.starts_with("subject")) {
        return Part::subject;
    }
    return field == "createdBy" ? Part::creator : Part::rule;
}

bool RuleSelection::passes(Part part, const ListedRule& row) const {
    return std::ranges::all_of(terms_[static_cast<std::size_t>(part)], [&](const FilterTerm& term) {
        const ListField<ListedRule>& field = access_rule_fields()[term.field];
        return field.kind == FieldKind::text ? text_matches(term, field.text(row))
                                             : number_matches(term, field.number(row));
    });
}

RuleSelection::Verdict RuleSelection::judge_role(const ListedRule& row) const {
    return {is_wanted(request_.role_id, row.rule.role) && passes(Part::role, row),
            contains_ignoring_case(row.role_name(), search_)};
}

RuleSelection::Verdict RuleSelection::judge_scope(const ListedRule& row) const {
    const AccessSnapshot& access = context_.access();
    const auto scope = row.scope();
    const ScopeId id = row.scope_id();
    // The scope of a deleted rule may be gone: then only the tenant's readers see it.
    const bool is_readable = std::ranges::any_of(reach_, [&](NodeIndex reach) {
        return access.is_same_or_below(scope.value_or(access.root()), reach);
    });
    const bool is_in_cluster =
        !request_.cluster_id || (cluster_ && scope && access.is_same_or_below(*scope, *cluster_));
    const bool is_of_type = !request_.scope_type || request_.scope_type->value == id.type;
    return {is_readable && is_in_cluster && is_of_type && is_wanted(request_.scope_id, id.value) &&
                passes(Part::scope, row),
            contains_ignoring_case(row.scope_name(), search_)};
}

RuleSelection::Verdict RuleSelection::judge_subject(const ListedRule& row) const {
    const std::string subject = row.subject();
    const bool is_of_type =
        !request_.subject_type || request_.subject_type->value == row.rule.subject_type();
    const auto& ids = request_.subject_ids;
    return {is_of_type && is_wanted(request_.subject_id_filter, subject) &&
                (!ids || std::ranges::find(*ids, subject) != ids->end()) &&
                passes(Part::subject, row),
            contains_ignoring_case(subject, search_)};
}

const RuleSelection::Verdict& RuleSelection::role_verdict(const ListedRule& row) {
    const std::int32_t number = row.rule.role;
    if (last_role_ == nullptr || last_role_number_ != number) {
        const auto known = roles_.find(number);
        last_role_ = known != roles_.end() ? &known->second
                                           : &roles_.emplace(number, judge_role(row)).first->second;
        last_role_number_ = number;
    }
    return *last_role_;
}

const RuleSelection::Verdict& RuleSelection::scope_verdict(const ListedRule& row) {
    if (row.deleted != nullptr) { // it does not say which node it was
        return other_scope_.emplace(judge_scope(row));
    }
    const auto number = static_cast<std::size_t>(row.rule.scope);
    if (number >= scopes_.size()) {
        scopes_.resize(2 * number + 1);
    }
    std::optional<Verdict>& known = scopes_[number];
    return known ? *known : known.emplace(judge_scope(row));
}

const RuleSelection::Verdict& RuleSelection::subject_verdict(const ListedRule& row) {
    if (!last_subject_ || !have_same_subject(row.rule, last_)) {
        last_subject_ = judge_subject(row);
        last_ = row.rule;
    }
    return *last_subject_;
}

bool RuleSelection::is_creator_chosen(const ListedRule& row) {
    const std::string* creator = row.rule.creator;
    if (creator != last_creator_) {
        const auto [known, is_new] = creators_.emplace(creator, false);
        if (is_new) {
            known->second = passes(Part::creator, row);
        }
        last_creator_ = creator;
        is_last_creator_chosen_ = known->second;
    }
    return is_last_creator_chosen_;
}

bool RuleSelection::contains(const ListedRule& row) {
    const Verdict& role = role_verdict(row);
    if (!role.is_chosen) {
        return false;
    }
    const Verdict& scope = scope_verdict(row);
    if (!scope.is_chosen || (updated_since_ && row.rule.updated_at < *updated_since_)) {
        return false;
    }
    if ((has_terms(Part::rule) && !passes(Part::rule, row)) ||
        (has_terms(Part::creator) && !is_creator_chosen(row))) {
        return false;
    }
    const bool is_found = role.is_found || scope.is_found;
    if (is_found && !asks_for_subjects_) {
        return true;
    }
    const Verdict& subject = subject_verdict(row);
    return subject.is_chosen && (is_found || subject.is_found);
}

std::optional<std::vector<Subject>> RuleSelection::named_subjects() const {
    std::vector<std::string> names = request_.subject_ids.value_or(std::vector<std::string>());
    bool are_named = request_.subject_ids.has_value();
    if (request_.subject_id_filter) {
        names.push_back(*request_.subject_id_filter);
        are_named = true;
    }
    for (const FilterTerm& term : terms_[static_cast<std::size_t>(Part::subject)]) {
        if (term.op == FilterOperator::equal &&
            access_rule_fields()[term.field].name == subject_field) {
            names.push_back(term.value);
            are_named = true;
        }
    }
    if (!are_named) {
        return std::nullopt;
    }
    // Whom a list can show by one of these names. That all conditions hold is judged for each rule.
    std::set<Subject> subjects;
    for (const std::string& name : names) {
        subjects.insert({SubjectType::user, name});
        subjects.insert({SubjectType::group, name});
        if (const AccountEntry* account = context_.state().accounts.find_by_name(name)) {
            subjects.insert({SubjectType::service_account, account->id.text()});
        }
        if (const auto id = Uuid::parse(name)) { // shown by its id when it is gone
            subjects.insert({SubjectType::service_account, id->text()});
        }
    }
    return std::vector<Subject>(subjects.begin(), subjects.end());
}

} // namespace claviger
