// SPDX-License-Identifier: Apache-2.0
// What has ended before its time, as the feed tells it, and how far the feed was heard. Tokens are
// held against it; nothing here knows of connections.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace claviger::offline {

/// What is asked about: the claims by which tokens end.
struct TokenNames {
    std::string_view token_id, subject, client_id, session;
    std::uint32_t epoch = 0;
    std::uint32_t secret = 0;
    std::int64_t issued_at = 0;
};

class EndedTokens {
public:
    /// One entry, without its envelope: "urn:claviger:event:token-revoked" and its facts. Kinds
    /// that end nothing, and those of later servers, change nothing.
    Result<void> apply(std::string_view event, const boost::json::object& facts);
    bool holds(const TokenNames& token) const;
    /// What would have expired by now.
    void forget(std::int64_t now_seconds);
    std::size_t size() const { return until_.size() + keys_.size() + subjects_.size(); }

private:
    struct Standing {
        std::uint32_t epoch = 0; // of tokens that are good
        bool active = true;
        std::int64_t until = 0;
    };
    using Standings = std::map<std::string, Standing, std::less<>>;

    static Result<Standing> standing_of(const boost::json::object& facts);

    std::int64_t not_before_ = 0;
    std::map<std::string, std::int64_t, std::less<>> until_; // token and session ids
    Standings keys_, subjects_;
    std::map<std::pair<std::string, std::uint32_t>, std::int64_t> secrets_; // until when
};

/// The state of the feed, read by every verification.
class FeedState {
public:
    FeedState(const Clock& clock, std::int64_t lease_milliseconds);

    /// A new beginning, as of `number`.
    void reset(EndedTokens ended, std::uint64_t number);
    /// The next entry: false when one between is missing. Entries that were heard before change
    /// nothing.
    Result<bool> apply(std::uint64_t number, std::string_view event,
                       const boost::json::object& facts);
    /// Something came from the server.
    void hear();

    bool has_begun() const;
    bool is_stale() const;
    std::uint64_t number() const;
    bool has_ended(const TokenNames& token) const;

private:
    const Clock& clock_;
    std::int64_t lease_milliseconds_;

    mutable std::shared_mutex mutex_; // of what follows
    EndedTokens ended_;
    std::uint64_t number_ = 0;
    bool has_begun_ = false;
    std::int64_t heard_at_ = 0;     // monotonic milliseconds
    std::int64_t forgotten_at_ = 0; // seconds
};

} // namespace claviger::offline
