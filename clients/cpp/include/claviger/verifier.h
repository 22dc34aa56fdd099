// SPDX-License-Identifier: Apache-2.0
// Checks Claviger's access tokens inside your own program, without a request for each: by the
// published keys, the feed of what has ended, and the signed snapshot of the tenant's rules. C++17;
// docs/guides/verifier-cpp.md says how to use it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace claviger {

/// Where can() looks.
enum class decision_source : std::uint8_t {
    snapshot, ///< In memory, in the rules that the server has signed. Keys' limits bind as well.
    server,   ///< The server is asked each time, with the token that it is about.
};

struct verifier_options {
    std::string server;   ///< The server's address: "https://claviger.example".
    std::string audience; ///< The `aud` that tokens must name.
    /// An account that holds `security-settings:read` at the tenant, and for decisions from the
    /// snapshot `access_rules:read` as well.
    std::string client_id = {};
    std::string client_secret = {};
    std::string issuer = {};     ///< The `iss` of tokens; empty: the address.
    std::string realm = "runai"; ///< Of the tenant, whose issuer is good too.
    std::string ca_file = {};    ///< PEM; empty: what the system trusts.
    bool allow_http = false;     ///< Plain HTTP to other machines.
    decision_source decisions = decision_source::snapshot;
    std::chrono::seconds lease{60};                 ///< Without word for longer, nothing is good.
    std::chrono::seconds timeout{10};               ///< Of a request that somebody waits for.
    std::function<void(std::string_view)> log = {}; ///< Told what went wrong in the background.
};

/// A node of the tree, as in {"project", "4711"}.
struct scope {
    std::string type; ///< "tenant", "cluster", "department" or "project".
    std::string id;
};

enum class refusal_reason : std::uint8_t {
    missing,           ///< There is no token.
    malformed,         ///< No signed token in the form of RFC 9068.
    unknown_key,       ///< No published key has this `kid`.
    wrong_algorithm,   ///< `alg` is not that of the key.
    wrong_type,        ///< `typ` is not `at+jwt`, or the key signs something else.
    wrong_signature,   ///<
    wrong_issuer,      ///<
    wrong_audience,    ///<
    wrong_tenant,      ///<
    expired,           ///<
    not_yet_valid,     ///< `iat` or `nbf` is to come.
    ended,             ///< It was revoked, or all of its session, key, account or tenant.
    unknown_subject,   ///< The rules know no such user.
    key_expired,       ///< A limit of the key that it was got with, as the next three.
    address_missing,   ///< The key may only be used from some addresses; give `source_ip`.
    address_forbidden, ///<
    honey_key,         ///<
    not_ready,         ///< Keys or snapshots have not been loaded yet.
    stale,             ///< Nothing was heard from the server for longer than the lease.
};

/// Why there is no token to work with, and what to answer.
struct refusal {
    int status = 401;  ///< Of HTTP: 401, or 503 when nothing can be said now.
    std::string error; ///< Of RFC 6750 3.1: "invalid_token"; empty when no token was sent.
    refusal_reason reason = refusal_reason::missing;
    std::string detail; ///< For your log. It holds nothing of the token.

    /// The value of `WWW-Authenticate`; empty for 503.
    std::string challenge() const;
};

/// A token that was good when it was verified. Cheap to copy.
class verified_token {
public:
    const std::string& subject() const; ///< "sa:UUID" or "user:UUID"
    const std::string& client_id() const;
    const std::string& token_id() const; ///< The `jti`.
    const std::string& issuer() const;
    const std::vector<std::string>& audience() const;
    const std::string& session() const; ///< The `sid`; empty for tokens of clients.
    std::int64_t issued_at() const;     ///< Seconds since 1970, as the next.
    std::int64_t expires_at() const;
    const std::string& claims() const; ///< All of them: the JSON text that was signed.

    struct parts;
    explicit verified_token(std::shared_ptr<const parts> of);
    const parts& content() const { return *parts_; }

private:
    std::shared_ptr<const parts> parts_;
};

/// A token or a refusal.
class verify_outcome {
public:
    explicit verify_outcome(verified_token token);
    explicit verify_outcome(claviger::refusal why);

    explicit operator bool() const { return token_.has_value(); }
    /// Only for a token that is good.
    const verified_token& token() const { return token_.value(); }
    /// Only for one that is not.
    const claviger::refusal& refused() const { return refusal_.value(); }

private:
    std::optional<verified_token> token_;
    std::optional<claviger::refusal> refusal_;
};

struct decision {
    bool allowed = false;
    std::string reason;               ///< In the words of the server: "permitted", "no rule".
    std::optional<std::int32_t> rule; ///< The access rule that permits, if it is known.
    /// Nothing could be decided now: answer 503, not 403.
    bool unavailable = false;

    explicit operator bool() const { return allowed; }
};

/// What the background has come to, for health checks.
struct verifier_status {
    bool ready = false;             ///< Everything was loaded once.
    bool current = false;           ///< And it is not older than the lease.
    std::uint64_t number = 0;       ///< Of the last entry of the feed that was heard.
    std::uint64_t rules_number = 0; ///< Of the feed, as of which the rules are.
    std::uint64_t connections = 0;  ///< Feeds that were opened.
    std::uint64_t snapshots = 0;    ///< Snapshots of the feed that were loaded.
    std::uint64_t rules_loaded = 0; ///< Snapshots of the rules that were loaded.
    std::string last_problem;       ///< Empty when there was none.
};

class verifier {
public:
    /// Starts two threads and returns at once. Throws `std::invalid_argument` for options that
    /// cannot be right.
    explicit verifier(verifier_options options);
    /// Ends the threads. No call may be under way.
    ~verifier();
    verifier(const verifier&) = delete;
    verifier& operator=(const verifier&) = delete;

    /// Whether everything is loaded, at the latest after `most`.
    bool wait_until_ready(std::chrono::milliseconds most) const;

    /// Any thread. Asks the server only for a key that it has not seen, at most once in 30 seconds.
    verify_outcome verify(std::string_view token, std::string_view source_ip = {}) const;
    /// From the value of `Authorization`, whose scheme must be Bearer.
    verify_outcome verify_header(std::string_view authorization,
                                 std::string_view source_ip = {}) const;

    /// Whether the token may do this ("project:read") there. Any thread.
    decision can(const verified_token& token, std::string_view permission,
                 const scope& where) const;

    verifier_status status() const;

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace claviger
