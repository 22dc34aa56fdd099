// SPDX-License-Identifier: Apache-2.0
#include "verifier/background.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <exception>

#include "base/random.h"

namespace claviger::offline {
namespace {

namespace json = boost::json;

constexpr std::string_view snapshot_path = "/api/v1/revocations/snapshot";
constexpr std::string_view rules_path = "/api/v1/authorization/snapshot";
constexpr std::string_view snapshot_event = "urn:claviger:event:snapshot";
constexpr std::string_view keys_event = "urn:claviger:event:signing-keys-changed";
constexpr std::string_view rules_event = "urn:claviger:event:rules-changed";
constexpr std::int64_t shortest_pause = 50; // milliseconds, as the next
constexpr std::int64_t longest_pause = 5000;
constexpr std::int64_t longest_wait = 60'000;

/// From a half of it to the whole, so that many verifiers do not come back at once.
std::chrono::milliseconds spread(std::int64_t pause) {
    SystemRandom random;
    std::uint8_t byte = 0;
    random.fill(std::span(&byte, 1));
    return std::chrono::milliseconds(pause / 2 + pause * byte / 512);
}

/// The only member of an object and its facts; null when it is not so.
const json::key_value_pair* only_event(const json::object& claims) {
    const json::value* events = claims.if_contains("events");
    const json::object* object = events == nullptr ? nullptr : events->if_object();
    const bool is_one =
        object != nullptr && object->size() == 1 && object->begin()->value().is_object();
    return is_one ? object->begin() : nullptr;
}

std::unexpected<Error> malformed(const char* what) {
    return fail(ErrorCode::invalid_request, std::string(what) + " of the server is malformed");
}

} // namespace

RulesState::RulesState(const Clock& clock, std::int64_t lease_milliseconds)
    : clock_(clock), lease_milliseconds_(lease_milliseconds) {}

RulesPointer RulesState::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void RulesState::want(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const bool was_there = !is_outdated();
    wanted_ = std::max(wanted_, number);
    if (was_there && is_outdated()) {
        wanted_since_ = clock_.monotonic_milliseconds();
    }
}

void RulesState::doubt() {
    const std::lock_guard lock(mutex_);
    if (!is_outdated()) {
        wanted_since_ = clock_.monotonic_milliseconds();
    }
    is_doubted_ = true;
}

bool RulesState::is_wanted() const {
    const std::lock_guard lock(mutex_);
    return is_outdated();
}

bool RulesState::is_outdated() const {
    return !current_ || current_->number() < wanted_ || is_doubted_;
}

bool RulesState::put(RuleSet rules) {
    auto next = std::make_shared<const RuleSet>(std::move(rules));
    const std::lock_guard lock(mutex_);
    const bool is_enough = next->number() >= wanted_;
    if (is_enough || !current_ || next->number() > current_->number()) {
        current_ = std::move(next);
        is_doubted_ = false;
    }
    return is_enough;
}

bool RulesState::is_stale() const {
    const std::lock_guard lock(mutex_);
    return !current_ ||
           (is_outdated() && clock_.monotonic_milliseconds() - wanted_since_ > lease_milliseconds_);
}

Background::Background(Parts parts)
    : parts_(std::move(parts)), feed_transport_(parts_.make_transport()),
      rules_transport_(parts_.make_transport()) {
    follower_ = std::thread([this] { run(&Background::follow_once); });
    refresher_ = std::thread([this] { run(&Background::refresh_once); });
}

void Background::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        changed_.notify_all();
    }
    feed_transport_->stop();
    rules_transport_->stop();
}

Background::~Background() {
    stop();
    follower_.join();
    refresher_.join();
}

/// Again and again, with longer and longer pauses while it fails.
void Background::run(Result<void> (Background::*once)()) {
    std::int64_t pause = shortest_pause;
    for (;;) {
        bool has_failed = true;
        try {
            const auto done = (this->*once)();
            has_failed = !done;
            if (!done) {
                report(done.error().detail());
            }
        } catch (const std::exception&) {
            report("out of memory, or a failure of a library");
        }
        const bool was_heard = once == &Background::follow_once && was_heard_.exchange(false);
        pause = has_failed && !was_heard ? std::min(pause * 2, longest_pause) : shortest_pause;
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, spread(pause), [&] { return is_stopping_; })) {
            return;
        }
    }
}

// --- the feed
// -------------------------------------------------------------------------------------

Result<void> Background::follow_once() {
    if (needs_snapshot_) {
        TRY(load_snapshot());
        needs_snapshot_ = false;
    }
    Result<void> taken;
    EventStream events([&](std::string_view text) {
        taken = take_entry(text);
        return taken.has_value();
    });
    bool is_open = false;
    const auto take = [&](std::string_view bytes) {
        if (!is_open) {
            is_open = true;
            was_heard_ = true;
            count([](Counts& counts) { ++counts.connections; });
            doubt_rules();
        }
        parts_.feed.hear();
        return events.read(bytes);
    };
    const auto ended = parts_.api.follow(*feed_transport_, parts_.feed.number(), take);
    TRY(taken);
    const Answer answer = TRY(ended);
    if (answer.status == 410) { // it does not go back so far, or is another one
        needs_snapshot_ = true;
        return {};
    }
    return answer.status == 200 ? Result<void>()
                                : fail(ErrorCode::unavailable, "the feed was answered with " +
                                                                   std::to_string(answer.status));
}

/// Behind another connection may be a server that was started anew, and knows other resource types.
void Background::doubt_rules() {
    if (parts_.rules != nullptr && counts().connections > 1) {
        parts_.rules->doubt();
        tell();
    }
}

Result<void> Background::load_snapshot() {
    TRY(parts_.keys.load()); // some may have been burned meanwhile
    const Answer answer = TRY(parts_.api.fetch_snapshot(*feed_transport_, snapshot_path));
    const auto snapshot = TRY(parts_.reader.read_snapshot(answer.body, security_event));
    EndedTokens ended;
    for (const json::object& part : snapshot.parts) {
        const auto* event = only_event(part);
        const json::value* rows = event == nullptr || event->key() != snapshot_event
                                      ? nullptr
                                      : event->value().get_object().if_contains("revocations");
        if (rows == nullptr || !rows->is_array()) {
            return malformed("a snapshot");
        }
        for (const json::value& row : rows->get_array()) {
            if (!row.is_object()) {
                return malformed("a snapshot");
            }
            const auto name = TRY(text_member(row.get_object(), "event"));
            TRY(ended.apply(name, row.get_object()));
        }
    }
    const auto number = static_cast<std::uint64_t>(snapshot.number);
    if (parts_.rules != nullptr) {
        parts_.rules->want(number);
    }
    parts_.feed.reset(std::move(ended), number);
    count([](Counts& counts) { ++counts.snapshots; });
    return {};
}

Result<void> Background::take_entry(std::string_view text) {
    const json::object claims = TRY(parts_.reader.read(text, security_event));
    const auto number = static_cast<std::uint64_t>(TRY(number_member(claims, "number")));
    const auto* event = only_event(claims);
    if (event == nullptr) {
        return malformed("an entry of the feed");
    }
    const std::string_view name = event->key();
    const json::object& facts = event->value().get_object();
    if (name == keys_event) {
        const auto kid = TRY(text_member(facts, "kid"));
        const bool is_burned = TRY(bool_member(facts, "burned"));
        if (is_burned) {
            parts_.keys.burn(kid);
        }
        TRY(parts_.keys.load());
    }
    const bool is_next = TRY(parts_.feed.apply(number, name, facts));
    if (!is_next) {
        needs_snapshot_ = true;
        return fail(ErrorCode::gone, "an entry of the feed is missing");
    }
    if (name == rules_event && parts_.rules != nullptr) {
        parts_.rules->want(number);
    }
    tell();
    return {};
}

// --- rules and keys
// -------------------------------------------------------------------------------

/// Waits until something is due, and does it.
Result<void> Background::refresh_once() {
    const auto is_wanted = [&] {
        return parts_.rules != nullptr && parts_.feed.has_begun() && parts_.rules->is_wanted();
    };
    const std::int64_t due = std::min(parts_.keys.due_in_milliseconds(), longest_wait);
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(parts_.feed.has_begun() ? due : 1000),
                          [&] { return is_stopping_ || is_wanted(); });
        if (is_stopping_) {
            return {};
        }
    }
    if (is_wanted()) {
        TRY(load_rules());
    }
    if (parts_.feed.has_begun() && parts_.keys.due_in_milliseconds() == 0) {
        TRY(parts_.keys.load());
    }
    return {};
}

Result<void> Background::load_rules() {
    const Answer answer = TRY(parts_.api.fetch_snapshot(*rules_transport_, rules_path));
    const auto snapshot = TRY(parts_.reader.read_snapshot(answer.body, access_snapshot));
    RuleSet rules = TRY(RuleSet::build(snapshot));
    const bool is_enough = parts_.rules->put(std::move(rules));
    count([](Counts& counts) { ++counts.rules_loaded; });
    return is_enough ? Result<void>()
                     : fail(ErrorCode::unavailable, "the rules are older than the feed");
}

// --- what others see
// ------------------------------------------------------------------------------

template <class Change>
void Background::count(Change change) {
    const std::lock_guard lock(mutex_);
    change(counts_);
    changed_.notify_all();
}

void Background::tell() {
    count([](Counts&) {});
}

void Background::report(std::string_view problem) {
    {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) {
            return;
        }
        counts_.last_problem = problem;
    }
    if (parts_.log) {
        parts_.log(problem);
    }
}

Background::Counts Background::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

bool Background::wait_for(std::int64_t milliseconds, const std::function<bool()>& condition) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), condition);
}

} // namespace claviger::offline
