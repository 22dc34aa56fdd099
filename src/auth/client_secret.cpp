// SPDX-License-Identifier: Apache-2.0
#include "auth/client_secret.h"

#include "auth/credential_text.h"
#include "base/encoding.h"

namespace claviger {

std::string_view prefix_of(SecretKind kind) {
    return kind == SecretKind::access_key ? "clvk_" : "clvs_";
}

Secret generate_client_secret(Random& random, SecretKind kind) {
    CredentialBytes bytes{};
    random.fill(bytes);
    Secret secret(credential_text(prefix_of(kind), bytes));
    wipe(bytes);
    return secret;
}

Pepper::Pepper(const RootKey& root_key)
    : secrets_(root_key.derive("claviger secret pepper 1")),
      passwords_(root_key.derive("claviger password pepper 1")) {}

Digest Pepper::keyed_hash(std::string_view client_id, std::string_view secret) const {
    using namespace std::string_view_literals;
    return secrets_(
        {as_bytes("clv1\0"sv), as_bytes(client_id), as_bytes("\0"sv), as_bytes(secret)});
}

Digest Pepper::keyed_password(std::string_view normalised_password) const {
    return passwords_({as_bytes(normalised_password)});
}

ClientSecret keep_client_secret(const Pepper& pepper, Random& random, std::string_view client_id,
                                const Secret& secret, Timestamp now) {
    ClientSecret row;
    row.id = Uuid::make(random);
    row.pepper_version = pepper.version();
    row.keyed_hash = pepper.keyed_hash(client_id, secret.reveal());
    row.created_at = now;
    return row;
}

} // namespace claviger
