// SPDX-License-Identifier: Apache-2.0
// What a change of access rules and roles would do; nothing is changed.
#include <algorithm>

#include "access/permission_sets.h"
#include "access/role.h"
#include "api/access_rule_fields.h"
#include "api/day_text.h"
#include "api/grounds_view.h"
#include "api/resources.h"
#include "api/usage_window.h"
#include "auth/asked_subject.h"
#include "auth/last_administrator.h"
#include "auth/what_if.h"

namespace claviger {
namespace {

constexpr std::size_t most_changes = 1'000; // of each kind
constexpr std::size_t most_touched = 100'000;
constexpr std::int32_t usual_limit = 100;
constexpr std::int32_t most_on_a_page = 1'000;

// --- the change ---------------------------------------------------------------------------------

struct PermissionSetOfRole {
    Uuid id;
};
BOOST_DESCRIBE_STRUCT(PermissionSetOfRole, (), (id))

/// What is left out stays as it is.
struct RoleChangeFields {
    std::int32_t role_id = 0;
    std::optional<std::vector<PermissionSetOfRole>> permission_sets;
    std::optional<bool> enabled;
};
BOOST_DESCRIBE_STRUCT(RoleChangeFields, (), (role_id, permission_sets, enabled))

struct WhatIfRequest {
    std::optional<std::vector<AccessRuleCreationFields>> add_rules;
    std::optional<std::vector<std::int32_t>> remove_rules;
    std::optional<std::vector<RoleChangeFields>> change_roles;
    std::optional<std::int32_t> days;          // of uses to look at; 90 when it is not said
    std::optional<std::int32_t> limit, offset; // of subjects and of keys
};
BOOST_DESCRIBE_STRUCT(WhatIfRequest, (),
                      (add_rules, remove_rules, change_roles, days, limit, offset))

std::unexpected<Error> wrong_entry(std::string_view list, std::size_t at, std::string_view why) {
    return fail(ErrorCode::invalid_request,
                std::string(list) + "[" + std::to_string(at) + "]: " + std::string(why));
}

Result<AccessRule> proposed_rule(const Context& context, const AccessRuleCreationFields& fields,
                                 std::size_t at) {
    const auto node = fields.scope(context);
    const auto draft = node ? fields.draft(context) : std::unexpected(node.error());
    if (!draft) {
        return wrong_entry("addRules", at, draft.error().detail());
    }
    if (context.access().permissions_of_role(draft->role.value) == nullptr) {
        return wrong_entry("addRules", at, "no role has this roleId");
    }
    AccessRule rule;
    // Rules are numbered from 1: these are nobody's.
    rule.id = {context.caller.tenant(), -1 - static_cast<std::int32_t>(at)};
    rule.subject = draft->subject;
    rule.role = draft->role;
    rule.scope = draft->scope;
    return rule;
}

Result<Role> proposed_role(const Context& context, const RoleChangeFields& fields, std::size_t at) {
    const OwnRole* own = context.access().own_role(fields.role_id);
    if (own == nullptr) {
        return wrong_entry("changeRoles", at,
                           find_role(fields.role_id) != nullptr
                               ? "predefined roles stay as they are"
                               : "no role has this roleId");
    }
    if (!fields.enabled && !fields.permission_sets) {
        return wrong_entry("changeRoles", at, "say enabled, permissionSets or both");
    }
    Role role = own->row;
    role.enabled = fields.enabled.value_or(role.enabled);
    if (fields.permission_sets) {
        role.permission_sets.clear();
        for (const PermissionSetOfRole& set : *fields.permission_sets) {
            if (find_permission_set(set.id) == nullptr) {
                return wrong_entry("changeRoles", at,
                                   "no permission set has the id " + set.id.text());
            }
            role.permission_sets.push_back(set.id);
        }
    }
    return role;
}

Result<AccessRuleId> named_rule(const Context& context, std::int32_t number, std::size_t at) {
    const AccessRuleId id{context.caller.tenant(), number};
    return context.access().rule(id) ? Result<AccessRuleId>(id)
                                     : wrong_entry("removeRules", at, "no access rule has this id");
}

/// The entries of a list, each as `read` makes it of the request.
template <class Entry, class Fields, class Read>
Result<std::vector<Entry>> read_entries(const Context& context, std::string_view list,
                                        const std::optional<std::vector<Fields>>& fields,
                                        Read read) {
    std::vector<Entry> entries;
    if (!fields) {
        return entries;
    }
    if (fields->size() > most_changes) {
        return fail(ErrorCode::invalid_request, std::string(list) + ": at most 1000 entries");
    }
    for (const Fields& entry : *fields) {
        entries.push_back(TRY(read(context, entry, entries.size())));
    }
    return entries;
}

Result<ProposedChange> proposed_change(const Context& context, const WhatIfRequest& request) {
    ProposedChange change;
    change.added =
        TRY(read_entries<AccessRule>(context, "addRules", request.add_rules, proposed_rule));
    change.removed =
        TRY(read_entries<AccessRuleId>(context, "removeRules", request.remove_rules, named_rule));
    change.roles =
        TRY(read_entries<Role>(context, "changeRoles", request.change_roles, proposed_role));
    return change;
}

// --- the answer ---------------------------------------------------------------------------------

struct AccessDifferenceView {
    ScopeView scope;
    std::vector<std::string> gained, lost;
    std::vector<std::string> unchanged; // of what the scope above gains or loses
};
BOOST_DESCRIBE_STRUCT(AccessDifferenceView, (), (scope, gained, lost, unchanged))

struct ChangedSubject {
    SubjectTypeText type;
    std::string id;
    std::vector<AccessDifferenceView> scopes; // each holds below it, until another says otherwise
};
BOOST_DESCRIBE_STRUCT(ChangedSubject, (), (type, id, scopes))

struct RefusedUseView {
    ScopeView scope;
    std::vector<std::string> permissions;
    DayText last_used;
};
BOOST_DESCRIBE_STRUCT(RefusedUseView, (), (scope, permissions, last_used))

struct BrokenKeyView {
    std::string type; // "service-account", "access-key", or "user" for what was done after sign-in
    std::string id, name;
    std::optional<std::string> client_id;
    std::optional<std::string> owner; // of an access key: a user's e-mail
    std::vector<RefusedUseView> uses;
};
BOOST_DESCRIBE_STRUCT(BrokenKeyView, (), (type, id, name, client_id, owner, uses))

struct WhatIfResponse {
    std::int64_t gaining = 0, losing = 0, total_subjects = 0;
    std::vector<ChangedSubject> subjects;
    std::int64_t total_broken_keys = 0; // of the kinds that the caller may list
    std::vector<BrokenKeyView> broken_keys;
    std::int32_t days = 0;
    DayText recorded_since;
    bool leaves_administrator = true;
};
BOOST_DESCRIBE_STRUCT(WhatIfResponse, (),
                      (gaining, losing, total_subjects, subjects, total_broken_keys, broken_keys,
                       days, recorded_since, leaves_administrator))

std::vector<std::string> texts_of(const PermissionSet& permissions) {
    std::vector<std::string> texts;
    for (const Permission permission : permissions.list()) {
        texts.push_back(text_of(permission));
    }
    return texts;
}

ChangedSubject view_of(const Context& context, const SubjectDifference& difference) {
    ChangedSubject view{
        {difference.subject.type}, shown_id(context.state(), difference.subject), {}};
    for (const ScopeDifference& at : difference.scopes) {
        view.scopes.push_back({scope_view(context.access(), at.scope, true), texts_of(at.gained),
                               texts_of(at.lost), texts_of(at.unchanged)});
    }
    return view;
}

/// Nothing when it was deleted meanwhile.
std::optional<BrokenKeyView> view_of(const Context& context, const BrokenCredential& broken) {
    const TenantState& state = context.state();
    const User* owner = state.users.find(broken.owner);
    BrokenKeyView view;
    view.id = broken.credential.id.text();
    if (broken.credential.kind == CredentialKind::service_account) {
        const AccountEntry* account = state.accounts.find(broken.credential.id);
        if (account == nullptr) {
            return std::nullopt;
        }
        view.type = "service-account";
        view.name = account->name;
        view.client_id = account->name;
    } else if (broken.credential.kind == CredentialKind::access_key) {
        const AccessKeyEntry* key = state.access_keys.find(broken.credential.id);
        if (key == nullptr || owner == nullptr) {
            return std::nullopt;
        }
        view.type = "access-key";
        view.name = key->name;
        view.client_id = key->client_id;
        view.owner = owner->email;
    } else if (owner != nullptr) {
        view.type = "user";
        view.name = owner->email;
    } else {
        return std::nullopt;
    }
    for (const RefusedUse& use : broken.uses) {
        view.uses.push_back({scope_view(context.access(), use.scope, true),
                             texts_of(use.permissions),
                             {use.last_used}});
    }
    return view;
}

/// Uses are told of to who may list what was used.
bool may_list(const Context& context, CredentialKind kind) {
    const std::string_view type = kind == CredentialKind::service_account ? "service-account"
                                  : kind == CredentialKind::access_key    ? "access-keys"
                                                                          : "users";
    return context.may_use({*find_resource_type(type), Action::read}, context.access().root());
}

struct Slice {
    std::size_t offset = 0, limit = 0;

    bool takes(std::int64_t place) const {
        const auto at = static_cast<std::size_t>(place);
        return at >= offset && at - offset < limit;
    }
};

Result<Slice> slice_of(const WhatIfRequest& request) {
    const std::int32_t limit = request.limit.value_or(usual_limit);
    const std::int32_t offset = request.offset.value_or(0);
    if (limit < 1 || limit > most_on_a_page || offset < 0) {
        return fail(ErrorCode::invalid_request, "limit must be from 1 to 1000, and offset not "
                                                "negative");
    }
    return Slice{static_cast<std::size_t>(offset), static_cast<std::size_t>(limit)};
}

void tell_differences(const Context& context, const WhatIf& what_if, const Slice& slice,
                      WhatIfResponse& answer) {
    for (const SubjectDifference& difference : what_if.differences()) {
        const auto any = [&](PermissionSet ScopeDifference::* of) {
            return std::ranges::any_of(
                difference.scopes, [&](const ScopeDifference& at) { return !(at.*of).empty(); });
        };
        answer.gaining += any(&ScopeDifference::gained) ? 1 : 0;
        answer.losing += any(&ScopeDifference::lost) ? 1 : 0;
        if (slice.takes(answer.total_subjects++)) {
            answer.subjects.push_back(view_of(context, difference));
        }
    }
}

Result<void> tell_broken_keys(const Context& context, const WhatIf& what_if,
                              const UsageWindow& window, const Slice& slice,
                              WhatIfResponse& answer) {
    Usage& usage = context.services.usage;
    const auto numbers = TRY(usage.numbers());
    answer.recorded_since = {numbers->since()};
    const auto broken = TRY(what_if.broken(usage, window.first));
    for (const BrokenCredential& credential : broken) {
        auto view = may_list(context, credential.credential.kind) ? view_of(context, credential)
                                                                  : std::nullopt;
        if (view && slice.takes(answer.total_broken_keys++)) {
            answer.broken_keys.push_back(*std::move(view));
        }
    }
    return {};
}

Result<WhatIfResponse> evaluate_what_if(Context& context, const WhatIfRequest& request) {
    const UsageWindow window = TRY(usage_window(context, request.days));
    const Slice slice = TRY(slice_of(request));
    const ProposedChange change = TRY(proposed_change(context, request));
    const WhatIf what_if(context.state(), change);
    if (what_if.touched_count() > most_touched) {
        return fail(ErrorCode::invalid_request,
                    "the change touches " + std::to_string(what_if.touched_count()) +
                        " subjects; at most 100000 can be judged at once: ask in parts");
    }
    WhatIfResponse answer;
    answer.days = window.days;
    tell_differences(context, what_if, slice, answer);
    TRY(tell_broken_keys(context, what_if, window, slice, answer));
    const bool takes_administrators = std::ranges::any_of(change.removed, [&](AccessRuleId id) {
        return makes_administrator(*context.access().rule(id));
    });
    answer.leaves_administrator = !takes_administrators || what_if.leaves_administrator();
    return answer;
}

} // namespace

Routes what_if_routes() {
    return {route<evaluate_what_if>(
        {.method = HttpMethod::post,
         .path = "/api/v1/authorization/what-if",
         .id = "evaluateWhatIf",
         .tag = "decisions",
         .summary = "Tell who would gain and lose what, and which keys would break, by a change of "
                    "access rules and roles",
         .access = may_access_rules(Action::read, EvaluatedAt::tenant)})};
}

} // namespace claviger
