// SPDX-License-Identifier: Apache-2.0
#include "auth/secret_set.h"

#include <algorithm>

#include "base/secret.h"

namespace claviger {
namespace {

bool is_plain_secret(const ClientSecret& secret) {
    return !secret.expires_at && !secret.retired_at && !secret.drain;
}

std::optional<SecretMatch> match_of(const ClientSecret& secret, Timestamp now) {
    const SecretState state = state_of(secret, now);
    Timestamp ended_at;
    if (state != SecretState::live) {
        ended_at = state == SecretState::retired ? *secret.retired_at : *secret.expires_at;
    }
    return SecretMatch{secret.id, secret.number, state, ended_at};
}

void retire(ClientSecret& secret, Timestamp at, bool with_tokens) {
    secret.retired_at = secret.retired_at.value_or(at);
    secret.tokens_ended = secret.tokens_ended || with_tokens;
    secret.frozen = false; // for good
    secret.drain.reset();
}

std::uint32_t next_number(const std::vector<ClientSecret>& secrets) {
    std::uint32_t last = 0;
    for (const ClientSecret& secret : secrets) {
        last = std::max(last, secret.number);
    }
    return last + 1;
}

/// The one with the newest number stays, so that none is ever given twice.
void forget_oldest(std::vector<ClientSecret>& secrets) {
    const auto is_retired = [](const ClientSecret& secret) {
        return secret.retired_at.has_value();
    };
    while (std::ranges::count_if(secrets, is_retired) >
           static_cast<std::ptrdiff_t>(most_retired_secrets)) {
        secrets.erase(std::ranges::min_element(secrets, {}, [&](const ClientSecret& secret) {
            return std::pair(!is_retired(secret), secret.number);
        }));
    }
}

} // namespace

SecretState state_of(const ClientSecret& secret, Timestamp now) {
    if (secret.retired_at) {
        return SecretState::retired;
    }
    return secret.expires_at && *secret.expires_at <= now ? SecretState::expired
                                                          : SecretState::live;
}

bool is_drain_due(std::span<const ClientSecret> secrets, Timestamp now) {
    return std::ranges::any_of(secrets, [&](const ClientSecret& secret) {
        return secret.drain && secret.drain->since.plus_seconds(secret.drain->seconds) <= now;
    });
}

std::size_t live_secret_count(std::span<const ClientSecret> secrets, Timestamp now) {
    return static_cast<std::size_t>(std::ranges::count_if(secrets, [&](const ClientSecret& secret) {
        return state_of(secret, now) == SecretState::live;
    }));
}

std::optional<SecretMatch> find_secret(std::span<const ClientSecret> secrets, const Digest& offered,
                                       Timestamp now) {
    const ClientSecret* found = nullptr;
    for (const ClientSecret& secret : secrets) {
        found = constant_time_equal(offered, secret.keyed_hash) ? &secret : found;
    }
    return found == nullptr ? std::nullopt : match_of(*found, now);
}

bool have_tokens_ended(std::span<const ClientSecret> secrets, std::uint32_t number) {
    const auto found = std::ranges::find(secrets, number, &ClientSecret::number);
    return found == secrets.end() || found->tokens_ended;
}

const ClientSecret& add_secret(std::vector<ClientSecret>& secrets, ClientSecret secret,
                               Timestamp now) {
    secret.number = next_number(secrets);
    for (ClientSecret& old : secrets) {
        if (state_of(old, now) == SecretState::expired) {
            retire(old, *old.expires_at, false);
        }
    }
    secrets.push_back(secret);
    forget_oldest(secrets);
    return secrets.back();
}

void retire_secret(std::vector<ClientSecret>& secrets, const Uuid& id, Timestamp now,
                   bool with_tokens) {
    for (ClientSecret& secret : secrets) {
        if (secret.id == id) {
            retire(secret, now, with_tokens);
        }
    }
    forget_oldest(secrets);
}

void freeze_secret(std::vector<ClientSecret>& secrets, const Uuid& id, Timestamp now) {
    const auto found = std::ranges::find(secrets, id, &ClientSecret::id);
    if (found != secrets.end() && !found->retired_at) {
        retire(*found, now, true);
        found->frozen = true;
        forget_oldest(secrets);
    }
}

void restore_secret(std::vector<ClientSecret>& secrets, const Uuid& id) {
    const std::uint32_t number = next_number(secrets);
    const auto found = std::ranges::find(secrets, id, &ClientSecret::id);
    if (found != secrets.end() && found->frozen) {
        found->number = number;
        found->retired_at.reset();
        found->tokens_ended = false;
        found->frozen = false;
    }
}

void retire_all_secrets(std::vector<ClientSecret>& secrets, Timestamp now) {
    for (ClientSecret& secret : secrets) {
        retire(secret, now, true);
    }
    forget_oldest(secrets);
}

SecretSet::SecretSet(const std::vector<ClientSecret>& secrets) {
    if (secrets.size() == 1 && is_plain_secret(secrets.front())) {
        const ClientSecret& only = secrets.front();
        id_ = only.id;
        number_ = only.number;
        pepper_version_ = only.pepper_version;
        keyed_hash_ = only.keyed_hash;
        created_at_ = only.created_at;
    } else if (!secrets.empty()) {
        more_ = std::make_shared<const std::vector<ClientSecret>>(secrets); // as said at more_
    }
}

std::vector<ClientSecret> SecretSet::all() const {
    if (more_) {
        return *more_;
    }
    std::vector<ClientSecret> secrets;
    if (number_ != 0) {
        secrets.push_back({id_, pepper_version_, keyed_hash_, created_at_, number_});
    }
    return secrets;
}

std::optional<SecretMatch> SecretSet::find(const Digest& offered, Timestamp now) const {
    if (more_) {
        return find_secret(*more_, offered, now);
    }
    const bool is_equal = constant_time_equal(offered, keyed_hash_);
    return is_equal && number_ != 0
               ? std::optional(SecretMatch{id_, number_, SecretState::live, {}})
               : std::nullopt;
}

bool SecretSet::is_drain_due(Timestamp now) const {
    return more_ && claviger::is_drain_due(*more_, now);
}

bool SecretSet::have_tokens_ended(std::uint32_t number) const {
    return more_ ? claviger::have_tokens_ended(*more_, number) : number != number_;
}

} // namespace claviger
