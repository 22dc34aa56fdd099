// SPDX-License-Identifier: Apache-2.0
// The life of signing keys as a pure function of rows and time: which are published, which sign,
// and what is due. A key is published before its first use for as long as a verifier may keep an
// older key set, and after its last use for as long as a token of it lives. No store, no keys here.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "auth/token_settings.h"
#include "base/error.h"
#include "model/model.h"

namespace claviger {

/// How long a verifier may keep a published key set, in seconds (`Cache-Control: max-age`).
inline constexpr std::int64_t key_set_max_age_seconds = 600;
/// How far the clocks of verifiers may be off, in seconds.
inline constexpr std::int64_t clock_skew_seconds = 60;
/// A key is published this long before its first use.
inline constexpr std::int64_t key_lead_seconds = key_set_max_age_seconds + clock_skew_seconds;
/// Of one tenant, in the published set.
inline constexpr std::size_t most_published_keys = 64;

/// When the last token of a key that retired has expired.
Timestamp end_of_retiring(const SigningKey& key);
bool is_published(const SigningKey& key, Timestamp now);
/// A pending key whose time has come signs before that is on record.
bool may_sign(const SigningKey& key, Timestamp now);

struct WantedKey {
    KeyPurpose purpose = KeyPurpose::access_token;
    SigningAlgorithm algorithm = SigningAlgorithm::es256;
    Timestamp activates_at; // now: it is active from the beginning
};

/// What changes in the keys of one tenant, all of it in one transaction.
struct KeySteps {
    std::vector<SigningKey> changed; // as they are to be
    std::vector<WantedKey> wanted;   // to be made

    bool empty() const { return changed.empty() && wanted.empty(); }
};

/// What is due at `now`. For each purpose and algorithm in use there is to be one active key, and
/// its successor in time; keys of other algorithms end when their successors sign.
KeySteps due_steps(std::vector<SigningKey> keys, const TokenSettings& settings, Timestamp now);

/// A successor for each active key that has none. `conflict` when the set would be too large. Like
/// the next, it ends no key for not being in use: an operator's command may not know the options of
/// the server.
Result<KeySteps> rotation_steps(std::vector<SigningKey> keys, const TokenSettings& settings,
                                Timestamp now);

/// Takes a key out at once; where it signed, another is active from this moment. `not_found` when
/// there is no such key, `conflict` when it is gone.
Result<KeySteps> burn_steps(std::vector<SigningKey> keys, const TokenSettings& settings,
                            std::string_view kid, Timestamp now);

} // namespace claviger
