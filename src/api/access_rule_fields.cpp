// SPDX-License-Identifier: Apache-2.0
#include "api/access_rule_fields.h"

#include "api/access_rule_view.h"

namespace claviger {

Result<NodeIndex> AccessRuleCreationFields::scope(const Context& context) const {
    if (scope_type.value == ScopeType::system) {
        return fail(ErrorCode::invalid_request,
                    "scopeType: no rule can stand at the scope system; the highest is tenant");
    }
    return context.find_scope(scope_type.value, scope_id, "scopeId");
}

Result<AccessRuleDraft> AccessRuleCreationFields::draft(const Context& context) const {
    const TenantId tenant = context.caller.tenant();
    AccessRuleDraft draft;
    draft.subject = TRY(resolve_subject(context.state(), subject_type.value, subject_id));
    draft.role = {tenant, role_id};
    draft.scope = {tenant, scope_type.value, scope_id};
    // Older clients always name the cluster: it is derived, and a wrong one is a mistake.
    const auto cluster = cluster_of(context.access(), context.access().find(draft.scope));
    if (cluster_id && cluster && *cluster_id != *cluster) {
        return fail(ErrorCode::invalid_request, "clusterId is not the cluster of the scope");
    }
    return draft;
}

Result<AccessRule> AccessRuleRequest::find(const Context& context) const {
    const auto rule = context.access().rule({context.caller.tenant(), access_rule_id});
    if (!rule) {
        return fail(ErrorCode::not_found, "no access rule has this accessRuleId");
    }
    return *rule;
}

Result<NodeIndex> AccessRuleRequest::scope(const Context& context) const {
    const AccessRule rule = TRY(find(context));
    return context.find_scope(rule.scope.type, rule.scope.value, "scopeId");
}

} // namespace claviger
