// SPDX-License-Identifier: Apache-2.0
// Where a request came from: what throttles and audit entries need of it.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.h"
#include "model/model.h"

namespace claviger {

struct Origin {
    std::string source_ip;
    std::string request_id;
    std::string method; // "POST"
    std::string path;   // without the query
};

enum class PrincipalKind : std::uint8_t { service_account, user };

/// Who is calling. `name` is the service account's name or the user's e-mail.
struct Principal {
    PrincipalKind kind = PrincipalKind::service_account;
    Uuid id;
    std::string name;

    /// How access rules speak about this principal.
    Subject subject() const {
        return kind == PrincipalKind::user ? Subject{SubjectType::user, name}
                                           : Subject{SubjectType::service_account, id.text()};
    }
};

} // namespace claviger
