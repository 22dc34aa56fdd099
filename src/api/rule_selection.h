// SPDX-License-Identifier: Apache-2.0
// Which access rules a list shows. There may be a million: what depends on a rule's role, scope,
// subject or creator alone is judged once for each of these, and a list of single subjects looks
// at their rules only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/access_rule_view.h"
#include "api/context.h"
#include "api/filter.h"
#include "api/scope_text.h"

namespace claviger {

struct AccessRulesRequest : ListRequest {
    std::optional<std::vector<std::string>> subject_ids;
    std::optional<std::string> subject_id_filter, scope_id, cluster_id, last_updated;
    std::optional<SubjectTypeText> subject_type;
    std::optional<ScopeTypeText> scope_type;
    std::optional<std::int32_t> role_id;
    std::optional<bool> include_deleted;
};
BOOST_DESCRIBE_STRUCT(AccessRulesRequest, (),
                      (subject_type, subject_id_filter, subject_ids, limit, offset, last_updated,
                       include_deleted, cluster_id, scope_type, scope_id, role_id, sort_order,
                       sort_by, filter_by, search))

class RuleSelection {
public:
    /// Of the rules within the caller's reach. `context` and `request` must outlive it.
    static Result<RuleSelection> begin(const Context& context, const AccessRulesRequest& request);

    /// Shows all live rules that are chosen, in no order; each is good during its visit only.
    template <class Visit>
    void for_each_live(Visit visit) {
        const AccessSnapshot& access = context_.access();
        const auto offer = [&](const RuleInPlace& rule) {
            const ListedRule row{context_.state(), rule};
            if (contains(row)) {
                visit(row);
            }
        };
        const auto subjects = named_subjects();
        if (!subjects) {
            access.for_each_rule(offer);
            return;
        }
        for (const Subject& subject : *subjects) {
            access.for_each_rule_in_place_of(subject, offer);
        }
    }

    bool contains(const ListedRule& row);
    /// Whether every live rule is chosen, as far as can be told without looking at any.
    bool is_everything() const;

private:
    /// What of a rule a field, and so a term of a filter, depends on.
    enum class Part : std::uint8_t { role, scope, subject, creator, rule };
    static constexpr std::size_t part_count = 5;
    static Part part_of(std::string_view field);

    struct Verdict {
        bool is_chosen = false; // as far as the filters go
        bool is_found = false;  // by the search
    };
    /// Of those that have numbers, few and dense.
    using Verdicts = std::vector<std::optional<Verdict>>;

    RuleSelection(const Context& context, const AccessRulesRequest& request)
        : context_(context), request_(request) {}

    Result<void> read_filter();
    bool has_terms(Part part) const { return !terms_[static_cast<std::size_t>(part)].empty(); }
    bool passes(Part part, const ListedRule& row) const;
    Verdict judge_role(const ListedRule& row) const;
    Verdict judge_scope(const ListedRule& row) const;
    Verdict judge_subject(const ListedRule& row) const;
    const Verdict& role_verdict(const ListedRule& row);
    const Verdict& scope_verdict(const ListedRule& row);
    const Verdict& subject_verdict(const ListedRule& row);
    bool is_creator_chosen(const ListedRule& row);
    /// When no rule of others can be chosen.
    std::optional<std::vector<Subject>> named_subjects() const;

    const Context& context_;
    const AccessRulesRequest& request_;
    std::string search_;
    std::vector<NodeIndex> reach_;
    std::optional<Timestamp> updated_since_;
    std::optional<NodeIndex> cluster_; // absent when it is unknown as well
    std::array<std::vector<FilterTerm>, part_count> terms_;
    bool asks_for_subjects_ = false;

    std::unordered_map<std::int32_t, Verdict> roles_;
    std::unordered_map<const std::string*, bool> creators_; // rules share them
    std::optional<Verdict> other_scope_; // of a deleted rule, judged anew each time
    Verdicts scopes_;
    // Neighbours are alike. Rules of one subject always stand side by side.
    RuleInPlace last_; // whose subject was judged last
    std::optional<Verdict> last_subject_;
    std::int32_t last_role_number_ = 0;
    const Verdict* last_role_ = nullptr; // in roles_
    const std::string* last_creator_ = nullptr;
    bool is_last_creator_chosen_ = false;
};

} // namespace claviger
