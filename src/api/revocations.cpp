// SPDX-License-Identifier: Apache-2.0
// Ending tokens, and the feed by which verifiers elsewhere hear of it. Whoever may change an object
// may end its tokens; everybody may end their own.
#include <array>

#include "api/resources.h"
#include "api/revocation_feed.h"
#include "auth/eligible.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::int64_t longest_wait_seconds = 60;

/// What is to be ended.
struct RevocationType {
    enum class Value : std::uint8_t { token, secret, key, subject, tenant };
    static constexpr std::array<std::string_view, 5> names{"token", "secret", "key", "subject",
                                                           "tenant"};
    Value value = Value::token;

    static Result<RevocationType> decode(std::string_view text) {
        const auto at = std::ranges::find(names, text);
        if (at == names.end()) {
            return fail(ErrorCode::invalid_request,
                        "must be token, secret, key, subject or tenant");
        }
        return RevocationType{static_cast<Value>(at - names.begin())};
    }
    std::string wire() const { return std::string(names[static_cast<std::size_t>(value)]); }
    static json::object schema() {
        return {{"type", "string"}, {"enum", json::array(names.begin(), names.end())}};
    }
};

struct RevocationCreationRequest {
    RevocationType type;
    std::optional<std::string_view> token;
    std::optional<std::string> jti; // a token by its name, instead of its text
    std::optional<Timestamp> expires_at;
    std::optional<std::string> key_id; // of an access key or a service account
    std::optional<std::string> secret_id;
    std::optional<std::string> subject_id; // of a user or a service account
};
BOOST_DESCRIBE_STRUCT(RevocationCreationRequest, (),
                      (type, token, jti, expires_at, key_id, secret_id, subject_id))

/// Who has heard the feed up to this number refuses what was ended.
struct RevocationView {
    std::int64_t number = 0;
};
BOOST_DESCRIBE_STRUCT(RevocationView, (), (number))

Result<Uuid> id_of(const std::optional<std::string>& text, std::string_view field) {
    if (!text) {
        return fail(ErrorCode::invalid_request,
                    "Required parameter is missing: " + std::string(field));
    }
    const auto id = Uuid::parse(*text); // ids are opaque: a malformed one names nothing
    if (!id) {
        return fail(ErrorCode::not_found, "nothing has this " + std::string(field));
    }
    return *id;
}

Result<void> need(Context& context, std::string_view resource_type, Action action) {
    return authorise(context, Access::permission(resource_type, action, EvaluatedAt::tenant),
                     std::nullopt);
}

bool is_caller(const Context& context, PrincipalKind kind, const Uuid& id) {
    const Principal& caller = context.caller.principal;
    return caller.kind == kind && caller.id == id;
}

/// Whether the caller may end what belongs to this principal.
Result<void> check_owner(Context& context, PrincipalKind kind, const Uuid& id) {
    if (is_caller(context, kind, id)) {
        return {};
    }
    return need(context, kind == PrincipalKind::user ? "users" : "service-account", Action::update);
}

Result<void> end_token_text(Context& context, std::string_view token) {
    const auto owner = context.services.verifier.verify(
        context.state(), token, AcceptedTokens::access_and_id_tokens, asked_from_anywhere);
    if (!owner) {
        return {}; // not good anyway
    }
    TRY(check_owner(context, owner->kind, owner->id));
    const ParsedJwt jwt = TRY(parse_jwt(token));
    return context.services.revocations.end_token(
        context.caller,
        {jwt.token_id, Timestamp::from_seconds(jwt.expires_at.value_or(0)), owner->name});
}

/// A jti does not say whose token it is: the caller must be allowed to end everybody's.
Result<void> end_named_token(Context& context, const RevocationCreationRequest& request) {
    if (!request.jti || !request.expires_at) {
        return fail(ErrorCode::invalid_request, "send token, or jti and expiresAt");
    }
    TRY(need(context, "service-account", Action::update));
    TRY(need(context, "users", Action::update));
    return context.services.revocations.end_token(context.caller,
                                                  {*request.jti, *request.expires_at, ""});
}

Result<void> end_token(Context& context, const RevocationCreationRequest& request) {
    return request.token ? end_token_text(context, *request.token)
                         : end_named_token(context, request);
}

/// Whether the caller may end what was got with this key; `not_found` for an unknown one.
Result<void> check_key(Context& context, const Uuid& id) {
    if (const AccessKey* key = context.state().access_keys.find(id)) {
        return is_caller(context, PrincipalKind::user, key->user)
                   ? Result<void>{}
                   : need(context, "access-keys", Action::remove);
    }
    if (context.state().accounts.find(id) != nullptr) {
        return check_owner(context, PrincipalKind::service_account, id);
    }
    return fail(ErrorCode::not_found, "no key has this keyId");
}

Result<void> end_key(Context& context, const RevocationCreationRequest& request) {
    const Uuid id = TRY(id_of(request.key_id, "keyId"));
    TRY(check_key(context, id));
    Revocations& revocations = context.services.revocations;
    return context.state().access_keys.find(id) != nullptr
               ? revocations.end_access_key_tokens(context.caller, id)
               : revocations.end_account_tokens(context.caller, id);
}

Result<void> end_secret(Context& context, const RevocationCreationRequest& request) {
    const Uuid key = TRY(id_of(request.key_id, "keyId"));
    const Uuid secret = TRY(id_of(request.secret_id, "secretId"));
    TRY(check_key(context, key));
    return context.services.revocations.end_secret(context.caller, key, secret);
}

Result<void> end_subject(Context& context, const RevocationCreationRequest& request) {
    const Uuid id = TRY(id_of(request.subject_id, "subjectId"));
    if (context.state().accounts.find(id) != nullptr) {
        TRY(check_owner(context, PrincipalKind::service_account, id));
        return context.services.revocations.end_account_tokens(context.caller, id);
    }
    if (context.state().users.find(id) == nullptr) {
        return fail(ErrorCode::not_found, "no subject has this subjectId");
    }
    TRY(check_owner(context, PrincipalKind::user, id));
    return context.services.users.sign_out(context.caller, id);
}

Result<void> end_tenant(Context& context) {
    if (!is_administrator(context.caller)) {
        return fail(ErrorCode::access_denied,
                    "only a System administrator of the tenant may end all its tokens");
    }
    return context.services.revocations.end_all_tokens(context.caller);
}

Result<void> end_what_is_asked(Context& context, const RevocationCreationRequest& request) {
    switch (request.type.value) {
    case RevocationType::Value::token:
        return end_token(context, request);
    case RevocationType::Value::secret:
        return end_secret(context, request);
    case RevocationType::Value::key:
        return end_key(context, request);
    case RevocationType::Value::subject:
        return end_subject(context, request);
    case RevocationType::Value::tenant:
        break;
    }
    return end_tenant(context);
}

Result<RevocationView> create_revocation(Context& context,
                                         const RevocationCreationRequest& request) {
    TRY(end_what_is_asked(context, request));
    const TenantStatePointer latest = context.latest_state();
    return RevocationView{static_cast<std::int64_t>(latest->revocations.last_number())};
}

// --- for verifiers ------------------------------------------------------------------------------

struct FeedRequest {
    std::optional<std::int64_t> after; // a number; 0 is from the beginning
    std::optional<std::int64_t> wait;  // seconds
};
BOOST_DESCRIBE_STRUCT(FeedRequest, (), (after, wait))

struct FeedView {
    std::int64_t number = 0; // to ask after next
    std::vector<std::string> events;
};
BOOST_DESCRIBE_STRUCT(FeedView, (), (number, events))

bool wants_events(const Context& context) {
    return ascii_lower(context.request.accept.value_or("")).contains("text/event-stream");
}

Result<FeedPosition> position_of(const Context& context, const FeedRequest& request) {
    std::int64_t after = request.after.value_or(0);
    if (wants_events(context) && context.request.last_event_id) {
        after = parse_integer<std::int64_t>(*context.request.last_event_id).value_or(-1);
    }
    const std::int64_t wait = request.wait.value_or(0);
    if (after < 0 || wait < 0 || wait > longest_wait_seconds) {
        return fail(ErrorCode::invalid_request,
                    "after is a number that the feed gave, wait is 0 to 60 seconds");
    }
    const RevocationTable& revocations = context.state().revocations;
    const FeedPosition position{static_cast<std::uint64_t>(after), wait};
    if (position.after > revocations.last_number() ||
        position.after + 1 < revocations.first_recent()) {
        return fail(ErrorCode::gone,
                    "the feed does not go on from there: take /api/v1/revocations/snapshot");
    }
    return position;
}

Result<Followed<FeedView>> read_feed(Context& context, const FeedRequest& request) {
    const FeedPosition position = TRY(position_of(context, request));
    context.headers.emplace_back("Cache-Control", "no-store");
    return Followed<FeedView>{wants_events(context) ? follow_news(context, position)
                                                    : wait_for_news(context, position)};
}

struct SnapshotView {
    std::int64_t number = 0;
    std::vector<std::string> parts;
};
BOOST_DESCRIBE_STRUCT(SnapshotView, (), (number, parts))

Result<Streamed<SnapshotView>> read_snapshot(Context& context, const NoFields&) {
    context.headers.emplace_back("Cache-Control", "no-store");
    return Streamed<SnapshotView>{make_snapshot(context)};
}

constexpr const char* tag = "revocations";

} // namespace

Routes revocation_routes() {
    return {
        route<create_revocation>(
            {.method = HttpMethod::post,
             .path = "/api/v1/revocations",
             .id = "createRevocation",
             .tag = tag,
             .summary = "End a token, or all of a secret, key, subject or tenant, at once",
             .access = Access::authenticated()}),
        route<read_feed>({.method = HttpMethod::get,
                          .path = "/api/v1/revocations/feed",
                          .id = "getRevocationFeed",
                          .tag = tag,
                          .summary = "Follow what has ended, as signed events (RFC 8417)",
                          .access = verifier_access,
                          .runs_on = RunsOn::inline_thread,
                          .events_type = "text/event-stream",
                          .may_be_gone = true}),
        route<read_snapshot>({.method = HttpMethod::get,
                              .path = "/api/v1/revocations/snapshot",
                              .id = "getRevocationSnapshot",
                              .tag = tag,
                              .summary = "All that has ended and could still be used, signed",
                              .access = verifier_access}),
    };
}

} // namespace claviger
