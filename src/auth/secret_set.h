// SPDX-License-Identifier: Apache-2.0
// The secrets of one key. Several may be good at a time, so that a client can change from one to
// the next without a refused request; those that are no longer good are kept for a while, so that
// they are recognised when somebody still has them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/model.h"

namespace claviger {

inline constexpr std::size_t most_live_secrets = 5;
inline constexpr std::size_t most_retired_secrets = 8; // the longest retired is forgotten first

enum class SecretState : std::uint8_t { live, expired, retired };
SecretState state_of(const ClientSecret& secret, Timestamp now);

/// Whether one may have drained: it has if it was not used since.
bool is_drain_due(std::span<const ClientSecret> secrets, Timestamp now);

std::size_t live_secret_count(std::span<const ClientSecret> secrets, Timestamp now);

/// Which of a key's secrets was offered.
struct SecretMatch {
    Uuid id;
    std::uint32_t number = 0;
    SecretState state = SecretState::live;
    Timestamp ended_at; // when it is no longer live
};
/// Compares with all of them, whichever fits, in a time that does not tell which.
std::optional<SecretMatch> find_secret(std::span<const ClientSecret> secrets, const Digest& offered,
                                       Timestamp now);

/// Whether tokens that were got with secret `number` have ended with it. So have those of a secret
/// that is not known any more.
bool have_tokens_ended(std::span<const ClientSecret> secrets, std::uint32_t number);

/// Adds a live secret as the newest, with the next number. Those that have expired are retired.
const ClientSecret& add_secret(std::vector<ClientSecret>& secrets, ClientSecret secret,
                               Timestamp now);
/// Makes a secret one that is kept to be recognised, and forgets the oldest of those.
void retire_secret(std::vector<ClientSecret>& secrets, const Uuid& id, Timestamp now,
                   bool with_tokens);
/// Retires a secret with its tokens until it is restored.
void freeze_secret(std::vector<ClientSecret>& secrets, const Uuid& id, Timestamp now);
/// Makes a frozen secret good again, with the next number: the tokens of before have ended for
/// good.
void restore_secret(std::vector<ClientSecret>& secrets, const Uuid& id);
/// Retires all that are live. What ends their tokens is the epoch of the key.
void retire_all_secrets(std::vector<ClientSecret>& secrets, Timestamp now);

/// The secrets of a service account in memory. There may be a million accounts, nearly all with a
/// single plain secret: that takes 80 bytes.
class SecretSet {
public:
    SecretSet() = default;
    explicit SecretSet(const std::vector<ClientSecret>& secrets);

    std::vector<ClientSecret> all() const;
    bool is_drain_due(Timestamp now) const;
    std::optional<SecretMatch> find(const Digest& offered, Timestamp now) const;
    bool have_tokens_ended(std::uint32_t number) const;

private:
    // Of a single live secret that does not expire.
    Uuid id_;
    std::uint32_t number_ = 0; // 0: there is none
    std::uint32_t pepper_version_ = 0;
    Digest keyed_hash_{};
    Timestamp created_at_;
    /// All of them, when there are others. Shared between the generations of a table.
    std::shared_ptr<const std::vector<ClientSecret>> more_;
};
static_assert(sizeof(SecretSet) <= 80, "there may be a million");

} // namespace claviger
