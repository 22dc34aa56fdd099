// SPDX-License-Identifier: Apache-2.0
#include "api/context.h"

#include "access/explain.h"
#include "api/route.h"
#include "api/scope_text.h"

namespace claviger {
namespace {

/// Which limit takes away a permission that rules give somewhere; nothing when none does.
std::optional<LimitSource> limit_passed(const Context& context, const Rights& rights,
                                        Permission permission) {
    for (std::size_t count = 0; count <= rights.limits().size(); ++count) {
        const AccessHolder holder{rights.subjects(), rights.limits().first(count)};
        if (!permissions_anywhere(context.access(), holder).contains(permission)) {
            return count == 0 ? std::nullopt : std::optional(rights.limits()[count - 1]->source);
        }
    }
    return std::nullopt;
}

RefusalReason refusal_of(DecisionReason reason) {
    switch (reason) {
    case DecisionReason::beyond_key:
        return RefusalReason::beyond_key;
    case DecisionReason::beyond_token:
        return RefusalReason::beyond_token;
    default:
        return RefusalReason::permission_missing;
    }
}

void note_missing(Context& context, const Rights& rights, Permission permission,
                  DecisionReason decision, std::optional<NodeIndex> scope) {
    Refusal refusal;
    refusal.reason = refusal_of(decision);
    refusal.subject = subject_of(context.caller.principal);
    refusal.permission = permission;
    refusal.decision = decision;
    refusal.limit = refusing_limit(context.access(), rights.limits(), permission, scope);
    if (scope) {
        refusal.scope = context.access().scope_id(*scope);
    }
    context.refusal = std::move(refusal);
}

} // namespace

Decision Context::decide(Permission permission, NodeIndex scope) const {
    const Rights rights = rights_of(caller.principal);
    return claviger::decide(access(), {rights.subjects(), permission, scope, rights.limits()});
}

bool Context::may_use(Permission permission, NodeIndex scope) const {
    const bool allowed = decide(permission, scope).allowed();
    if (allowed) {
        services.usage.record(state(), caller.principal, permission, scope);
    }
    return allowed;
}

Result<NodeIndex> Context::find_scope(ScopeType type, const std::string& id,
                                      std::string_view field) const {
    const auto node = access().find({caller.tenant(), type, id});
    if (!node) {
        return fail(ErrorCode::not_found,
                    "no " + std::string(name_of(type)) + " has this " + std::string(field));
    }
    return *node;
}

TenantStatePointer Context::latest_state() const {
    return services.directory.current()->find(caller.tenant());
}

Result<void> authorise(Context& context, const Access& access, std::optional<NodeIndex> scope) {
    if (!access.needs_permission()) {
        return {};
    }
    const Permission permission{*find_resource_type(access.resource_type()), access.action()};
    const Rights rights = rights_of(context.caller.principal);
    if (access.at() == EvaluatedAt::anywhere) {
        if (permissions_anywhere(context.access(), rights.holder()).contains(permission)) {
            context.services.usage.record_anywhere(context.state(), context.caller.principal,
                                                   permission);
            return {};
        }
        const auto limit = limit_passed(context, rights, permission);
        const DecisionReason decision =
            limit ? reason_of(*limit) : DecisionReason::not_held_anywhere;
        note_missing(context, rights, permission, decision, std::nullopt);
        return fail(ErrorCode::access_denied,
                    "missing permission " + text_of(permission) + " at any scope" +
                        (limit ? " (" + std::string(name_of(decision)) + ")" : std::string()));
    }
    const NodeIndex node = scope.value_or(context.access().root());
    const Decision decision =
        claviger::decide(context.access(), {rights.subjects(), permission, node, rights.limits()});
    if (decision.allowed()) {
        context.services.usage.record(context.state(), context.caller.principal, permission, node);
        return {};
    }
    note_missing(context, rights, permission, decision.reason, node);
    const ScopeId id = context.access().scope_id(node);
    return fail(ErrorCode::access_denied, "missing permission " + text_of(permission) + " at " +
                                              std::string(name_of(id.type)) + " " + id.value +
                                              " (" + std::string(name_of(decision.reason)) + ")");
}

} // namespace claviger
