// SPDX-License-Identifier: Apache-2.0
#include "api/revocation_feed.h"

#include <algorithm>

#include "api/resources.h"
#include "auth/rights.h"
#include "auth/security_event.h"
#include "base/secret.h"

namespace claviger {
namespace {

constexpr std::uint64_t most_waited_for = 1'000; // entries of one answer
constexpr std::uint64_t most_at_once = 64;       // server-sent events of one piece
constexpr std::size_t most_in_part = 500;        // entries of a part of the snapshot
constexpr std::int64_t keep_alive_seconds = 15;

/// A reader's place in the feed, and the token that lets it read.
class FeedReader {
public:
    FeedReader(const Context& context, std::uint64_t after)
        : services_(context.services), tenant_(context.caller.tenant()),
          token_(std::string_view(*context.request.authorization).substr(bearer_scheme.size())),
          source_ip_(context.request.source_ip), after_(after) {}

    /// Takes the newest state. False when the reader may not read any more.
    bool look() {
        state_ = services_.directory.current()->find(tenant_);
        if (state_ == nullptr || !state_->tenant.enabled) {
            return false;
        }
        const auto principal = services_.verifier.verify(
            *state_, token_.reveal(), AcceptedTokens::access_and_id_tokens, source_ip_);
        if (!principal) {
            return false;
        }
        const Permission needed{*find_resource_type(verifier_access.resource_type()),
                                verifier_access.action()};
        const Rights rights = rights_of(*principal);
        const AccessQuery query{rights.subjects(), needed, state_->access.root(), rights.limits()};
        return decide(state_->access, query).allowed();
    }

    bool has_news() const { return after_ < state_->revocations.last_number(); }
    std::uint64_t after() const { return after_; }
    Timestamp now() const { return services_.clock.now(); }

    /// The next entry, signed. `gone` when it is kept no longer.
    Result<std::string> take() {
        const Revocation* revocation = state_->revocations.find(after_ + 1);
        if (revocation == nullptr) {
            return fail(ErrorCode::gone, "the reader is too far behind");
        }
        std::string text = TRY(sign_revocation(*state_, services_.settings, *revocation, now()));
        ++after_;
        return text;
    }

private:
    static constexpr std::string_view bearer_scheme = "Bearer ";
    Services& services_;
    TenantId tenant_;
    Secret token_;
    std::string source_ip_;
    std::uint64_t after_;
    TenantStatePointer state_; // as of the last look
};

class Waiting final : public FollowedBody {
public:
    Waiting(const Context& context, const FeedPosition& position)
        : reader_(context, position.after),
          until_(reader_.now().plus_seconds(position.wait_seconds)) {}

    Progress next(std::string& chunk, bool is_stopping) override {
        const bool may_read = reader_.look();
        const bool is_over = is_stopping || !may_read || reader_.now() >= until_;
        if (!is_over && !reader_.has_news()) {
            return Progress::waiting;
        }
        JsonWriter out(chunk);
        out.begin_object();
        out.name("events");
        out.begin_array();
        for (std::uint64_t i = 0; may_read && reader_.has_news() && i < most_waited_for; ++i) {
            const auto event = reader_.take();
            if (!event) {
                break; // the next request is told why
            }
            out.value(std::string_view(*event));
        }
        out.end_array();
        out.name("number");
        out.value(static_cast<std::int64_t>(reader_.after()));
        out.end_object();
        return Progress::ended;
    }
    std::string_view content_type() const override { return "application/json"; }

private:
    FeedReader reader_;
    Timestamp until_;
};

class ServerSentEvents final : public FollowedBody {
public:
    ServerSentEvents(const Context& context, const FeedPosition& position)
        : reader_(context, position.after) {}

    Progress next(std::string& chunk, bool is_stopping) override {
        if (is_stopping || !reader_.look()) {
            return Progress::ended;
        }
        for (std::uint64_t i = 0; reader_.has_news() && i < most_at_once; ++i) {
            const auto event = reader_.take();
            if (!event) {
                return Progress::ended;
            }
            chunk += "id: " + std::to_string(reader_.after()) + "\nevent: revocation\ndata: ";
            chunk += *event;
            chunk += "\n\n";
        }
        const Timestamp now = reader_.now();
        if (chunk.empty() && now >= keep_alive_at_) {
            chunk = ": still here\n\n";
        }
        if (!chunk.empty()) {
            keep_alive_at_ = now.plus_seconds(keep_alive_seconds);
        }
        return reader_.has_news() ? Progress::more : Progress::waiting;
    }
    std::string_view content_type() const override { return "text/event-stream"; }

private:
    FeedReader reader_;
    Timestamp keep_alive_at_; // at first at once: the reader learns that it is connected
};

class Snapshot final : public BodyStream {
public:
    explicit Snapshot(const Context& context)
        : services_(context.services), state_(context.caller.state),
          number_(state_->revocations.last_number()) {}

    Result<bool> next(std::string& chunk) override {
        if (part_ == 0) {
            chunk = "{\"number\":" + std::to_string(number_) + ",\"parts\":[";
        }
        while (!is_complete_ && chunk.size() < usual_chunk) {
            TRY(append_part(chunk));
        }
        return !chunk.empty();
    }

private:
    Result<void> append_part(std::string& chunk) {
        const Timestamp now = services_.clock.now();
        auto page = TRY(services_.store.revocations(state_->tenant.id, read_to_, most_in_part));
        is_complete_ = page.size() < most_in_part || page.back().number >= number_;
        read_to_ = page.empty() ? read_to_ : page.back().number;
        std::erase_if(page, [&](const Revocation& revocation) {
            return revocation.number > number_ || revocation.expires_at <= now ||
                   revocation.kind == RevocationKind::rules ||
                   revocation.kind == RevocationKind::signing_keys;
        });
        ++part_;
        const std::string text = TRY(sign_snapshot_part(*state_, services_.settings,
                                                        {number_, part_, is_complete_, page}, now));
        chunk += part_ == 1 ? "\"" : ",\"";
        chunk += text; // base64url and dots
        chunk += is_complete_ ? "\"]}" : "\"";
        return {};
    }

    Services& services_;
    TenantStatePointer state_;
    std::uint64_t number_;
    std::uint64_t read_to_ = 0;
    std::int64_t part_ = 0;
    bool is_complete_ = false;
};

} // namespace

std::unique_ptr<FollowedBody> wait_for_news(const Context& context, const FeedPosition& position) {
    return std::make_unique<Waiting>(context, position);
}

std::unique_ptr<FollowedBody> follow_news(const Context& context, const FeedPosition& position) {
    return std::make_unique<ServerSentEvents>(context, position);
}

std::unique_ptr<BodyStream> make_snapshot(const Context& context) {
    return std::make_unique<Snapshot>(context);
}

} // namespace claviger
