// SPDX-License-Identifier: Apache-2.0
#include "verifier/key_store.h"

#include <algorithm>
#include <exception>

namespace claviger::offline {
namespace {

constexpr std::int64_t second = 1000;              // milliseconds
constexpr std::int64_t usual_age_seconds = 600;    // when the server does not say
constexpr std::int64_t shortest_age_seconds = 30;  // whatever it says
constexpr std::int64_t longest_age_seconds = 3600; // likewise
constexpr std::int64_t pause_for_unknown = 30 * second;
constexpr std::int64_t pause_for_absent = 300 * second; // the feed tells of new keys before that
constexpr std::int64_t longest_without_server = 24 * 3600 * second;
constexpr std::size_t most_absent = 1024;
constexpr std::size_t most_burned = 1024;
constexpr std::size_t longest_kid = 128;

} // namespace

KeyStore::KeyStore(std::function<Result<Answer>()> fetch, const Clock& clock)
    : fetch_(std::move(fetch)), clock_(clock) {}

std::optional<Jwk> KeyStore::find(std::string_view kid) const {
    const std::shared_lock lock(mutex_);
    const bool is_too_old = clock_.monotonic_milliseconds() - loaded_at_ > longest_without_server;
    const auto at = keys_.find(kid);
    return at == keys_.end() || is_too_old ? std::nullopt : std::optional(at->second);
}

bool KeyStore::begin_fetch(std::string_view kid) {
    std::unique_lock lock(fetching_);
    if (is_fetching_) {
        fetched_.wait(lock, [&] { return !is_fetching_; });
        return false;
    }
    const std::int64_t now = clock_.monotonic_milliseconds();
    const auto absent = absent_.find(kid);
    if ((asked_at_ && now - *asked_at_ < pause_for_unknown) ||
        (absent != absent_.end() && now < absent->second)) {
        return false;
    }
    asked_at_ = now;
    is_fetching_ = true;
    return true;
}

std::optional<Jwk> KeyStore::find_or_fetch(std::string_view kid) {
    auto known = find(kid);
    if (known || kid.empty() || kid.size() > longest_kid) {
        return known;
    }
    if (begin_fetch(kid)) {
        bool has_loaded = false;
        try {
            has_loaded = load().has_value();
        } catch (const std::exception&) { // those who wait must not wait for ever
            has_loaded = false;
        }
        known = find(kid);
        const std::lock_guard lock(fetching_);
        if (has_loaded && !known) {
            if (absent_.size() >= most_absent) {
                absent_.clear();
            }
            absent_.insert_or_assign(std::string(kid),
                                     clock_.monotonic_milliseconds() + pause_for_absent);
        }
        is_fetching_ = false;
        fetched_.notify_all();
        return known;
    }
    return find(kid);
}

Result<void> KeyStore::load() {
    const Answer answer = TRY(fetch_());
    if (answer.status != 200) {
        return fail(ErrorCode::unavailable,
                    "the key set was answered with " + std::to_string(answer.status));
    }
    return take(answer);
}

Result<void> KeyStore::take(const Answer& answer) {
    std::vector<Jwk> read = TRY(parse_key_set(answer.body));
    const std::unique_lock lock(mutex_);
    keys_.clear();
    for (Jwk& key : read) {
        const std::string kid = key.key.kid();
        if (!burned_.contains(kid)) {
            keys_.emplace(kid, std::move(key));
        }
    }
    const std::int64_t age = std::clamp(answer.max_age.value_or(usual_age_seconds),
                                        shortest_age_seconds, longest_age_seconds);
    loaded_at_ = clock_.monotonic_milliseconds();
    fresh_until_ = loaded_at_ + age * second;
    is_loaded_ = true;
    return {};
}

void KeyStore::burn(std::string_view kid) {
    const std::unique_lock lock(mutex_);
    if (const auto at = keys_.find(kid); at != keys_.end()) {
        keys_.erase(at);
    }
    if (burned_.size() < most_burned) {
        burned_.emplace(kid);
    }
}

bool KeyStore::is_loaded() const {
    const std::shared_lock lock(mutex_);
    return is_loaded_;
}

std::int64_t KeyStore::due_in_milliseconds() const {
    const std::shared_lock lock(mutex_);
    return is_loaded_ ? std::max<std::int64_t>(0, fresh_until_ - clock_.monotonic_milliseconds())
                      : 0;
}

} // namespace claviger::offline
