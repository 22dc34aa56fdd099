// SPDX-License-Identifier: Apache-2.0
// What requests for single access rules and for batches of them have in common, so that an entry of
// a batch is judged as a single request is.
#pragma once

#include <optional>
#include <string>

#include "api/context.h"
#include "api/route.h"
#include "api/scope_text.h"

namespace claviger {

constexpr Access may_access_rules(Action action, EvaluatedAt at) {
    return Access::permission("access_rules", action, at);
}

/// A rule to be created.
struct AccessRuleCreationFields {
    std::string subject_id;
    SubjectTypeText subject_type;
    std::int32_t role_id = 0;
    std::string scope_id;
    ScopeTypeText scope_type;
    std::optional<std::string> cluster_id;

    Result<NodeIndex> scope(const Context& context) const;
    Result<AccessRuleDraft> draft(const Context& context) const;
};
BOOST_DESCRIBE_STRUCT(AccessRuleCreationFields, (),
                      (subject_id, subject_type, role_id, scope_id, scope_type, cluster_id))

/// A rule that is there.
struct AccessRuleRequest {
    std::int32_t access_rule_id = 0;

    Result<AccessRule> find(const Context& context) const;
    Result<NodeIndex> scope(const Context& context) const;
};
BOOST_DESCRIBE_STRUCT(AccessRuleRequest, (), (access_rule_id))

} // namespace claviger
