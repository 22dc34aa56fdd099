// SPDX-License-Identifier: Apache-2.0
// Who makes a change, in which tenant, by which request: what every administrative operation takes
// first, and what its audit entry says.
#pragma once

#include "auth/audit.h"
#include "auth/directory.h"
#include "auth/origin.h"

namespace claviger {

struct Caller {
    TenantStatePointer state; // the tenant as it was when the request began
    Principal principal;
    Origin origin;

    TenantId tenant() const { return state->tenant.id; }
};

/// An event of a change that `caller` makes to an object.
inline AuditEvent change_event(const Caller& caller, Timestamp at, std::string_view action,
                               std::string entity_type, std::string entity_id,
                               std::string entity_name) {
    AuditEvent event;
    event.tenant = caller.tenant();
    event.at = at;
    event.action = action;
    event.subject = caller.principal.name;
    event.subject_kind = caller.principal.kind;
    event.origin = caller.origin;
    event.http_status = caller.origin.success;
    event.entity_type = std::move(entity_type);
    event.entity_id = std::move(entity_id);
    event.entity_name = std::move(entity_name);
    return event;
}

} // namespace claviger
