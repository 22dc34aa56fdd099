// SPDX-License-Identifier: Apache-2.0
// Where a request came from: what throttles and audit entries need of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/credential_limits.h"
#include "auth/token_id.h"
#include "base/uuid.h"
#include "model/model.h"

namespace claviger {

/// It looks at the request, and must not outlive it.
struct Origin {
    std::string_view source_ip;
    std::string_view request_id;
    std::string_view user_agent; // as the client says; may be empty
    std::string_view method;     // "POST"
    std::string_view path;       // without the query
    // Statuses of the answer, which the audit log tells although it is written first.
    int success = 200;
    int refused_client = 400; // wrong credentials of a client
    int refused_user = 400;
};

/// Who is calling. `name` is the service account's name or the user's e-mail.
struct Principal {
    PrincipalKind kind = PrincipalKind::service_account;
    Uuid id;
    std::string name;
    std::vector<std::string> groups{};   // of a user
    std::optional<Uuid> access_key = {}; // by which a user's token was got
    LimitsPointer limits = nullptr;      // of the service account or access key; null: none
    /// What the token was narrowed to, shared with the cache of verified tokens; null: not.
    std::shared_ptr<const AccessLimit> narrowing = nullptr;
    bool is_outside_addresses = false; // of its limits, which only log it

    /// How access rules speak about this principal.
    Subject subject() const {
        return kind == PrincipalKind::user ? Subject{SubjectType::user, name}
                                           : Subject{SubjectType::service_account, id.text()};
    }
};

} // namespace claviger
