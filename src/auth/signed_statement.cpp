// SPDX-License-Identifier: Apache-2.0
#include "auth/signed_statement.h"

namespace claviger {

Result<JwtBuilder> begin_statement(const TenantState& state, const TokenSettings& settings,
                                   const StatementHead& head, Timestamp now) {
    const OpenedKey* key =
        state.keys.signing_key(KeyPurpose::security_event, settings.algorithm, now);
    if (key == nullptr) {
        return fail(ErrorCode::unavailable, "no signing key for statements is active");
    }
    JwtBuilder builder(key->private_key, key->row.kid, head.type);
    builder.add(claim::issuer, root_issuer(settings, state.tenant))
        .add(claim::audience, head.audience)
        .add(claim::issued_at, head.issued_at)
        .add(claim::token_id, head.token_id);
    return builder;
}

} // namespace claviger
