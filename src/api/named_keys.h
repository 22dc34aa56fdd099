// SPDX-License-Identifier: Apache-2.0
// Service accounts and access keys that a request names. Ids are opaque strings: a malformed one
// names nothing.
#pragma once

#include <string>

#include "api/context.h"

namespace claviger {

inline Result<const AccountEntry*> find_account(const Context& context, const std::string& text) {
    const auto id = Uuid::parse(text);
    const AccountEntry* account = id ? context.state().accounts.find(*id) : nullptr;
    if (account == nullptr) {
        return fail(ErrorCode::not_found, "no service account has this serviceAccountId");
    }
    return account;
}

/// Another's is as if absent, unless the caller reaches all.
inline Result<const AccessKeyEntry*> find_access_key(const Context& context,
                                                     const std::string& text, KeyReach reach) {
    const auto id = Uuid::parse(text);
    return id ? find_access_key(context.caller, *id, reach)
              : fail(ErrorCode::not_found, "no access key has this id");
}

} // namespace claviger
