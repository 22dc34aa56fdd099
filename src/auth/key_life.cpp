// SPDX-License-Identifier: Apache-2.0
#include "auth/key_life.h"

#include <algorithm>
#include <array>

namespace claviger {
namespace {

constexpr std::array purposes{KeyPurpose::access_token, KeyPurpose::id_token,
                              KeyPurpose::security_event};

/// The keys of one tenant while steps are taken.
class Plan {
public:
    Plan(std::vector<SigningKey> keys, const TokenSettings& settings, Timestamp now)
        : keys_(std::move(keys)), changed_(keys_.size(), false), settings_(settings), now_(now),
          used_(algorithms_in_use(settings)) {}

    void advance_all() {
        for (const KeyPurpose purpose : purposes) {
            for (const SigningAlgorithm algorithm : used_) {
                advance(purpose, algorithm);
            }
        }
    }

    void take_due_steps() {
        advance_all();
        std::ranges::for_each(purposes, [&](KeyPurpose purpose) { end_unused(purpose); });
        for (SigningKey& key : keys_) {
            if (key.state == KeyState::retiring && now_ >= end_of_retiring(key)) {
                end(key);
            }
            const bool will_sign = key.state == KeyState::pending || key.state == KeyState::active;
            if (will_sign && key.token_lifetime_seconds < settings_.lifetime_seconds) {
                changed(key).token_lifetime_seconds = settings_.lifetime_seconds;
            }
        }
    }

    Result<void> rotate() {
        for (const KeyPurpose purpose : purposes) {
            for (const SigningAlgorithm algorithm : used_) {
                if (newest(KeyState::pending, purpose, algorithm) == nullptr) {
                    want(purpose, algorithm, first_use(purpose));
                }
            }
        }
        const auto published = static_cast<std::size_t>(std::ranges::count_if(
            keys_, [&](const SigningKey& key) { return is_published(key, now_); }));
        if (published + wanted_.size() > most_published_keys) {
            return fail(ErrorCode::conflict, "the key set would hold more than 64 keys; wait until "
                                             "some of the retiring ones are gone");
        }
        return {};
    }

    Result<void> burn(std::string_view kid) {
        const auto at = std::ranges::find(keys_, kid, &SigningKey::kid);
        if (at == keys_.end()) {
            return fail(ErrorCode::not_found, "there is no signing key " + std::string(kid));
        }
        if (at->state == KeyState::gone) {
            return fail(ErrorCode::conflict, "the signing key is gone already");
        }
        const bool signs = may_sign(*at, now_);
        end(*at);
        at->burned_at = now_;
        const bool is_used = std::ranges::find(used_, at->algorithm) != used_.end();
        if (!signs || !is_used || newest(KeyState::active, at->purpose, at->algorithm) != nullptr) {
            return {};
        }
        if (SigningKey* successor = newest(KeyState::pending, at->purpose, at->algorithm)) {
            activate(*successor);
        } else {
            want(at->purpose, at->algorithm, now_);
        }
        return {};
    }

    KeySteps steps() && {
        KeySteps steps;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            if (changed_[i]) {
                steps.changed.push_back(std::move(keys_[i]));
            }
        }
        steps.wanted = std::move(wanted_);
        return steps;
    }

private:
    /// The one that was or will be active last; null when there is none.
    SigningKey* newest(KeyState state, KeyPurpose purpose,
                       std::optional<SigningAlgorithm> algorithm = std::nullopt) {
        SigningKey* found = nullptr;
        for (SigningKey& key : keys_) {
            const bool fits = key.state == state && key.purpose == purpose &&
                              (!algorithm || key.algorithm == *algorithm);
            if (fits && (found == nullptr || key.activates_at > found->activates_at)) {
                found = &key;
            }
        }
        return found;
    }

    SigningKey& changed(SigningKey& key) {
        changed_[static_cast<std::size_t>(&key - keys_.data())] = true;
        return key;
    }

    /// Verifiers must have seen it, unless there is nothing else that signs.
    Timestamp first_use(KeyPurpose purpose) {
        return newest(KeyState::active, purpose) == nullptr ? now_
                                                            : now_.plus_seconds(key_lead_seconds);
    }

    void want(KeyPurpose purpose, SigningAlgorithm algorithm, Timestamp activates_at) {
        const bool is_known = std::ranges::any_of(wanted_, [&](const WantedKey& wanted) {
            return wanted.purpose == purpose && wanted.algorithm == algorithm;
        });
        if (!is_known) {
            wanted_.push_back({purpose, algorithm, activates_at});
        }
    }

    void advance(KeyPurpose purpose, SigningAlgorithm algorithm) {
        const SigningKey* active = newest(KeyState::active, purpose, algorithm);
        SigningKey* pending = newest(KeyState::pending, purpose, algorithm);
        if (pending != nullptr) {
            if (pending->activates_at <= now_ || newest(KeyState::active, purpose) == nullptr) {
                activate(*pending);
            }
            return;
        }
        if (active == nullptr) {
            want(purpose, algorithm, first_use(purpose));
            return;
        }
        const Timestamp end = active->activates_at.plus_seconds(settings_.key_rotation_seconds);
        if (settings_.key_rotation_seconds > 0 && now_ >= end.plus_seconds(-key_lead_seconds)) {
            want(purpose, algorithm, std::max(end, first_use(purpose)));
        }
    }

    /// Keys of algorithms that are no longer in use end once the others sign.
    void end_unused(KeyPurpose purpose) {
        const bool others_sign = std::ranges::all_of(used_, [&](SigningAlgorithm algorithm) {
            return newest(KeyState::active, purpose, algorithm) != nullptr;
        });
        for (SigningKey& key : keys_) {
            if (key.purpose != purpose || std::ranges::find(used_, key.algorithm) != used_.end()) {
                continue;
            }
            if (key.state == KeyState::pending) {
                end(key);
            } else if (key.state == KeyState::active && others_sign) {
                retire(key);
            }
        }
    }

    void activate(SigningKey& key) {
        for (SigningKey& old : keys_) {
            if (old.state == KeyState::active && old.purpose == key.purpose &&
                old.algorithm == key.algorithm) {
                retire(old);
            }
        }
        changed(key).state = KeyState::active;
        key.activates_at = std::min(key.activates_at, now_);
    }

    void retire(SigningKey& key) {
        changed(key).state = KeyState::retiring;
        key.retired_at = now_;
        key.token_lifetime_seconds =
            std::max(key.token_lifetime_seconds, settings_.lifetime_seconds);
    }

    void end(SigningKey& key) {
        changed(key).state = KeyState::gone;
        key.sealed_private_key.clear();
    }

    std::vector<SigningKey> keys_;
    std::vector<bool> changed_;
    std::vector<WantedKey> wanted_;
    const TokenSettings& settings_;
    Timestamp now_;
    std::vector<SigningAlgorithm> used_;
};

} // namespace

Timestamp end_of_retiring(const SigningKey& key) {
    return key.retired_at.value_or(key.activates_at)
        .plus_seconds(key.token_lifetime_seconds + clock_skew_seconds);
}

bool is_published(const SigningKey& key, Timestamp now) {
    return key.state == KeyState::retiring ? now < end_of_retiring(key)
                                           : key.state != KeyState::gone;
}

bool may_sign(const SigningKey& key, Timestamp now) {
    return key.state == KeyState::active ||
           (key.state == KeyState::pending && key.activates_at <= now);
}

KeySteps due_steps(std::vector<SigningKey> keys, const TokenSettings& settings, Timestamp now) {
    Plan plan(std::move(keys), settings, now);
    plan.take_due_steps();
    return std::move(plan).steps();
}

Result<KeySteps> rotation_steps(std::vector<SigningKey> keys, const TokenSettings& settings,
                                Timestamp now) {
    Plan plan(std::move(keys), settings, now);
    plan.advance_all();
    TRY(plan.rotate());
    return std::move(plan).steps();
}

Result<KeySteps> burn_steps(std::vector<SigningKey> keys, const TokenSettings& settings,
                            std::string_view kid, Timestamp now) {
    Plan plan(std::move(keys), settings, now);
    TRY(plan.burn(kid));
    plan.advance_all();
    return std::move(plan).steps();
}

} // namespace claviger
