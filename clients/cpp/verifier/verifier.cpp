// SPDX-License-Identifier: Apache-2.0
// The public face: puts the parts together and answers in the public types.
#include <claviger/verifier.h>

#include <boost/json.hpp>
#include <exception>
#include <stdexcept>

#include "base/strict_json.h"
#include "base/text.h"
#include "cli/server_address.h"
#include "verifier/background.h"
#include "verifier/token_judge.h"

namespace claviger {
namespace {

using namespace offline;

constexpr std::string_view check_path = "/api/v1/authorization/check";

std::string address_of(const verifier_options& options) {
    const auto address = server_address(options.server, options.allow_http);
    if (!address) {
        throw std::invalid_argument("claviger::verifier: server: " + address.error().detail());
    }
    return *address;
}

void check_options(const verifier_options& options) {
    const auto require = [](bool is_right, const char* what) {
        if (!is_right) {
            throw std::invalid_argument(std::string("claviger::verifier: ") + what);
        }
    };
    require(!options.audience.empty(), "audience: name the one of your API's tokens");
    require(!options.client_id.empty() && !options.client_secret.empty(),
            "client_id and client_secret: give those of an account that may follow the feed");
    require(options.lease.count() >= 1, "lease: give at least a second, better a minute");
    require(options.timeout.count() >= 1, "timeout: give at least a second");
}

ServerAccount account_of(const verifier_options& options) {
    return {address_of(options), options.client_id, Secret(std::string_view(options.client_secret)),
            std::int64_t{options.timeout.count()} * 1000};
}

std::string issuer_of(const verifier_options& options) {
    return options.issuer.empty() ? address_of(options) : options.issuer;
}

Expectations expectations_of(const verifier_options& options) {
    const std::string issuer = issuer_of(options);
    return {{issuer, issuer + "/auth/realms/" + options.realm}, options.audience};
}

decision denied(std::string_view reason) {
    return {false, std::string(reason), std::nullopt, false};
}
decision unavailable(std::string_view reason) {
    return {false, std::string(reason), std::nullopt, true};
}
decision denied(TokenRefusal refused) {
    const refusal answer = refusal_of(std::move(refused));
    return answer.status == 503 ? unavailable(answer.detail) : denied(answer.detail);
}

/// A question to the server as of the AuthZEN model.
std::string question_of(std::string_view permission, const scope& where) {
    const std::size_t colon = permission.find(':');
    const auto text = [](std::string& out, std::string_view before, std::string_view value) {
        out += before;
        append_json_string(out, value);
    };
    std::string body;
    text(body, R"({"subject":{"type":"caller","id":""},"action":{"name":)",
         colon == std::string_view::npos ? "" : permission.substr(colon + 1));
    text(body, R"(},"resource":{"type":)", permission.substr(0, colon));
    text(body, R"(,"id":)", where.id);
    text(body, R"(,"properties":{"scopeType":)", where.type);
    body += R"(}},"explain":false})";
    return body;
}

decision decision_of(const Answer& answer) {
    if (answer.status == 401) {
        return denied("the server does not take the token");
    }
    if (answer.status == 400) {
        return denied("unknown resource");
    }
    const auto document = parse_strict_json(answer.body, {});
    if (answer.status != 200 || !document || !document->is_object()) {
        return unavailable("the server has not decided");
    }
    const auto allowed = bool_member(document->get_object(), "decision");
    const boost::json::value* context = document->get_object().if_contains("context");
    if (!allowed || context == nullptr || !context->is_object()) {
        return unavailable("the server has not decided");
    }
    const auto reason = text_member(context->get_object(), "reason");
    const auto rule = number_member(context->get_object(), "rule");
    decision made{*allowed, std::string(reason.value_or("")), std::nullopt, false};
    if (*allowed) {
        made.reason = name_of(DecisionReason::permitted);
        made.rule = rule ? std::optional(static_cast<std::int32_t>(*rule)) : std::nullopt;
    }
    return made;
}

} // namespace

struct verifier::parts {
    explicit parts(const verifier_options& options)
        : expectations(expectations_of(options)), decisions(options.decisions),
          pool([file = options.ca_file] { return make_curl_transport(file); }),
          api(account_of(options), clock),
          keys(
              [this] { return pool.with_one([&](Transport& one) { return api.fetch_keys(one); }); },
              clock),
          feed(clock, lease_of(options)), rules(clock, lease_of(options)),
          background({api, keys, feed, decisions == decision_source::snapshot ? &rules : nullptr,
                      DocumentReader(keys, issuer_of(options)),
                      [file = options.ca_file] { return make_curl_transport(file); },
                      options.log}) {}
    ~parts() {
        background.stop();
        pool.stop();
    }
    parts(const parts&) = delete;
    parts& operator=(const parts&) = delete;

    static std::int64_t lease_of(const verifier_options& options) {
        return std::int64_t{options.lease.count()} * 1000;
    }
    bool decides_here() const { return decisions == decision_source::snapshot; }
    bool is_ready() const { return feed.has_begun() && (!decides_here() || rules.current()); }

    /// What every use of a token needs: the rules when there are to be any, and the token's own
    /// standing now.
    Judged<RulesPointer> judge_use(const verified_token::parts& token) const;
    Judged<TokenPointer> judge(std::string_view text, std::string_view source_ip);
    decision decide_here(const verified_token::parts& token, const RuleSet& held,
                         std::string_view permission, const scope& where) const;
    decision ask(const verified_token::parts& token, std::string_view permission,
                 const scope& where);

    SystemClock clock;
    Expectations expectations;
    decision_source decisions;
    TransportPool pool;
    ServerApi api;
    KeyStore keys;
    FeedState feed;
    RulesState rules;
    Background background; // last: its threads use all of them
};

Judged<RulesPointer> verifier::parts::judge_use(const verified_token::parts& token) const {
    const std::int64_t now = clock.now().seconds();
    TRY(judge_standing(token, keys, feed, now));
    RulesPointer held = decides_here() ? rules.current() : nullptr;
    if (!decides_here()) {
        return held;
    }
    if (!held) {
        return std::unexpected(
            TokenRefusal{refusal_reason::not_ready, "the rules are not known yet"});
    }
    if (rules.is_stale()) {
        return std::unexpected(TokenRefusal{refusal_reason::stale,
                                            "the rules have changed, and the "
                                            "new ones cannot be loaded"});
    }
    const auto known = judge_subject(token, *held);
    if (!known && known.error().reason == refusal_reason::unknown_subject && rules.is_wanted()) {
        return std::unexpected(TokenRefusal{refusal_reason::not_ready, "its user may be new"});
    }
    TRY(known);
    TRY(judge_key(token, *held, now));
    return held;
}

Judged<TokenPointer> verifier::parts::judge(std::string_view text, std::string_view source_ip) {
    if (!feed.has_begun()) { // nor are there keys, then: the token may be good
        return std::unexpected(
            TokenRefusal{refusal_reason::not_ready, "what has ended is not known yet"});
    }
    TokenPointer token = TRY(judge_token(text, expectations, keys, clock.now().seconds()));
    const RulesPointer held = TRY(judge_use(*token));
    if (held) {
        TRY(judge_address(*token, *held, source_ip));
    }
    return token;
}

decision verifier::parts::decide_here(const verified_token::parts& token, const RuleSet& held,
                                      std::string_view permission, const scope& where) const {
    const auto known = held.find_permission(permission);
    if (!known) {
        return denied("unknown resource type or action");
    }
    const auto node = held.find_scope(where.type, where.id);
    if (!node) {
        return denied("unknown resource");
    }
    const AccessLimit* narrowing = token.narrowing ? &*token.narrowing : nullptr;
    const Decision made =
        held.decide({token.subject, token.client_id, narrowing, token.more}, *known, *node);
    return {made.allowed(), std::string(name_of(made.reason)),
            made.rule ? std::optional(made.rule->value) : std::nullopt, false};
}

decision verifier::parts::ask(const verified_token::parts& token, std::string_view permission,
                              const scope& where) {
    const auto answer = pool.with_one([&](Transport& transport) {
        return api.ask(transport, check_path, question_of(permission, where), token.text);
    });
    return answer ? decision_of(*answer) : unavailable(answer.error().detail());
}

verifier::verifier(verifier_options options) {
    check_options(options);
    parts_ = std::make_unique<parts>(options);
    wipe(options.client_secret);
}

verifier::~verifier() = default;

bool verifier::wait_until_ready(std::chrono::milliseconds most) const {
    return parts_->background.wait_for(most.count(), [&] { return parts_->is_ready(); });
}

verify_outcome verifier::verify(std::string_view token, std::string_view source_ip) const {
    try {
        auto judged = parts_->judge(token, source_ip);
        return judged ? verify_outcome(verified_token(*std::move(judged)))
                      : verify_outcome(refusal_of(std::move(judged.error())));
    } catch (const std::exception&) {
        return verify_outcome(
            refusal_of({refusal_reason::malformed, "it could not be checked: out of memory, or a "
                                                   "failure of a library"}));
    }
}

verify_outcome verifier::verify_header(std::string_view authorization,
                                       std::string_view source_ip) const {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size() ||
        !ascii_iequal(authorization.substr(0, scheme.size()), scheme)) {
        return verify_outcome(refusal_of({refusal_reason::missing, "there is no bearer token"}));
    }
    return verify(authorization.substr(scheme.size()), source_ip);
}

decision verifier::can(const verified_token& token, std::string_view permission,
                       const scope& where) const {
    try {
        auto held = parts_->judge_use(token.content());
        if (!held) {
            return denied(std::move(held.error()));
        }
        return *held ? parts_->decide_here(token.content(), **held, permission, where)
                     : parts_->ask(token.content(), permission, where);
    } catch (const std::exception&) {
        return unavailable("out of memory, or a failure of a library");
    }
}

verifier_status verifier::status() const {
    Background::Counts counts = parts_->background.counts();
    const RulesPointer held = parts_->rules.current();
    verifier_status status;
    status.ready = parts_->is_ready();
    status.current = status.ready && !parts_->feed.is_stale() &&
                     (!parts_->decides_here() || !parts_->rules.is_stale());
    status.number = parts_->feed.number();
    status.rules_number = held ? held->number() : 0;
    status.connections = counts.connections;
    status.snapshots = counts.snapshots;
    status.rules_loaded = counts.rules_loaded;
    status.last_problem = std::move(counts.last_problem);
    return status;
}

} // namespace claviger
