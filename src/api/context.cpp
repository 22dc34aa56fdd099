// SPDX-License-Identifier: Apache-2.0
#include "api/context.h"

#include "api/route.h"
#include "api/scope_text.h"

namespace claviger {
namespace {

/// Which limit takes away a permission that rules give somewhere; empty when none does.
std::string limit_passed(const Context& context, const Rights& rights, Permission permission) {
    for (std::size_t count = 0; count <= rights.limits().size(); ++count) {
        const AccessHolder holder{rights.subjects(), rights.limits().first(count)};
        if (!permissions_anywhere(context.access(), holder).contains(permission)) {
            return count == 0
                       ? std::string()
                       : " (" +
                             std::string(name_of(reason_of(rights.limits()[count - 1]->source))) +
                             ")";
        }
    }
    return {};
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

Result<void> authorise(const Context& context, const Access& access,
                       std::optional<NodeIndex> scope) {
    if (!access.needs_permission()) {
        return {};
    }
    const Permission permission{*find_resource_type(access.resource_type()), access.action()};
    if (access.at() == EvaluatedAt::anywhere) {
        const Rights rights = rights_of(context.caller.principal);
        if (permissions_anywhere(context.access(), rights.holder()).contains(permission)) {
            context.services.usage.record_anywhere(context.state(), context.caller.principal,
                                                   permission);
            return {};
        }
        return fail(ErrorCode::access_denied, "missing permission " + text_of(permission) +
                                                  " at any scope" +
                                                  limit_passed(context, rights, permission));
    }
    const NodeIndex node = scope.value_or(context.access().root());
    const Decision decision = context.decide(permission, node);
    if (decision.allowed()) {
        context.services.usage.record(context.state(), context.caller.principal, permission, node);
        return {};
    }
    const ScopeId id = context.access().scope_id(node);
    return fail(ErrorCode::access_denied, "missing permission " + text_of(permission) + " at " +
                                              std::string(name_of(id.type)) + " " + id.value +
                                              " (" + std::string(name_of(decision.reason)) + ")");
}

} // namespace claviger
