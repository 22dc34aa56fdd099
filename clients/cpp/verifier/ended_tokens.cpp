// SPDX-License-Identifier: Apache-2.0
#include "verifier/ended_tokens.h"

#include <algorithm>
#include <boost/json.hpp>

#include "auth/names.h"
#include "verifier/signed_document.h"

namespace claviger::offline {
namespace {

namespace json = boost::json;

constexpr std::string_view event_prefix = "urn:claviger:event:";
constexpr std::int64_t forget_every_seconds = 60;

Result<std::uint32_t> small_number(const json::object& facts, std::string_view name) {
    const std::int64_t number = TRY(number_member(facts, name));
    if (number > std::int64_t{0xFFFF'FFFF}) {
        return fail(ErrorCode::invalid_request, "an entry of the feed is out of range");
    }
    return static_cast<std::uint32_t>(number);
}

} // namespace

Result<EndedTokens::Standing> EndedTokens::standing_of(const json::object& facts) {
    Standing standing;
    standing.epoch = TRY(small_number(facts, "epoch"));
    standing.active = TRY(bool_member(facts, "active"));
    standing.until = TRY(number_member(facts, "until"));
    return standing;
}

Result<void> EndedTokens::apply(std::string_view event, const json::object& facts) {
    if (!event.starts_with(event_prefix)) {
        return fail(ErrorCode::invalid_request, "an entry of the feed has no event of ours");
    }
    const std::string_view kind = event.substr(event_prefix.size());
    if (kind == "token-revoked" || kind == "session-revoked") {
        const auto name = TRY(text_member(facts, kind == "token-revoked" ? "jti" : "sid"));
        const std::int64_t until = TRY(number_member(facts, "until"));
        std::int64_t& kept = until_[std::string(name)];
        kept = std::max(kept, until);
    } else if (kind == "key-revoked") {
        const Standing standing = TRY(standing_of(facts));
        const auto name = TRY(text_member(facts, "client_id"));
        keys_.insert_or_assign(std::string(name), standing);
    } else if (kind == "principal-revoked") {
        const Standing standing = TRY(standing_of(facts));
        const auto name = TRY(text_member(facts, "sub"));
        subjects_.insert_or_assign(std::string(name), standing);
    } else if (kind == "secret-revoked") {
        const auto name = TRY(text_member(facts, "client_id"));
        const std::uint32_t secret = TRY(small_number(facts, "secret"));
        const std::int64_t until = TRY(number_member(facts, "until"));
        secrets_[{std::string(name), secret}] = until;
    } else if (kind == "tenant-revoked") {
        const std::int64_t not_before = TRY(number_member(facts, "not_before"));
        not_before_ = std::max(not_before_, not_before);
    }
    return {};
}

bool EndedTokens::holds(const TokenNames& token) const {
    const auto ended = [&](std::string_view id) {
        return !id.empty() && until_.find(id) != until_.end();
    };
    if (ended(token.token_id) || ended(token.session) || token.issued_at < not_before_) {
        return true;
    }
    if (!secrets_.empty() && secrets_.contains({std::string(token.client_id), token.secret})) {
        return true;
    }
    const auto key = keys_.find(token.client_id);
    if (key != keys_.end() && (!key->second.active || token.epoch < key->second.epoch)) {
        return true;
    }
    const auto subject = subjects_.find(token.subject);
    if (subject == subjects_.end()) {
        return false;
    }
    // An access key has an epoch of its own.
    return !subject->second.active ||
           (!token.client_id.starts_with(access_key_prefix) && token.epoch < subject->second.epoch);
}

void EndedTokens::forget(std::int64_t now_seconds) {
    const auto is_over = [=](const auto& row) { return row.second <= now_seconds; };
    const auto is_over_standing = [=](const auto& row) { return row.second.until <= now_seconds; };
    std::erase_if(until_, is_over);
    std::erase_if(secrets_, is_over);
    std::erase_if(keys_, is_over_standing);
    std::erase_if(subjects_, is_over_standing);
}

FeedState::FeedState(const Clock& clock, std::int64_t lease_milliseconds)
    : clock_(clock), lease_milliseconds_(lease_milliseconds) {}

void FeedState::reset(EndedTokens ended, std::uint64_t number) {
    const std::unique_lock lock(mutex_);
    ended_ = std::move(ended);
    number_ = number;
    has_begun_ = true;
    heard_at_ = clock_.monotonic_milliseconds();
}

Result<bool> FeedState::apply(std::uint64_t number, std::string_view event,
                              const json::object& facts) {
    const std::unique_lock lock(mutex_);
    if (number <= number_) {
        return true;
    }
    if (number != number_ + 1) {
        return false;
    }
    TRY(ended_.apply(event, facts));
    number_ = number;
    const std::int64_t now = clock_.now().seconds();
    if (now - forgotten_at_ >= forget_every_seconds) {
        ended_.forget(now);
        forgotten_at_ = now;
    }
    return true;
}

void FeedState::hear() {
    const std::unique_lock lock(mutex_);
    heard_at_ = clock_.monotonic_milliseconds();
}

bool FeedState::has_begun() const {
    const std::shared_lock lock(mutex_);
    return has_begun_;
}

bool FeedState::is_stale() const {
    const std::shared_lock lock(mutex_);
    return !has_begun_ || clock_.monotonic_milliseconds() - heard_at_ > lease_milliseconds_;
}

std::uint64_t FeedState::number() const {
    const std::shared_lock lock(mutex_);
    return number_;
}

bool FeedState::has_ended(const TokenNames& token) const {
    const std::shared_lock lock(mutex_);
    return ended_.holds(token);
}

} // namespace claviger::offline
