// SPDX-License-Identifier: Apache-2.0
// A request and its answer as the API sees them: bounded, already admitted by the server, without
// any socket. `server` fills and sends them; nothing here knows Asio or Beast.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/body_stream.h"
#include "api/followed_body.h"
#include "store/access_event_log.h"

namespace claviger {

enum class HttpMethod : std::uint8_t { get, head, post, put, patch, remove, options, other };
std::string_view name_of(HttpMethod method); // "GET"

struct HttpRequest {
    HttpMethod method = HttpMethod::get;
    std::string path;  // canonical, still percent-encoded, without the query
    std::string query; // without '?'; not decoded
    std::string host;  // lower case, without the port
    std::optional<std::string> authorization;
    std::optional<std::string> content_type;
    std::optional<std::string> accept;
    std::optional<std::string> last_event_id; // of server-sent events
    std::string user_agent;                   // as the client says
    std::string body;
    std::string source_ip;    // the peer, or what a trusted proxy says
    std::string peer_ip;      // whoever holds the connection, where the plan asks for lines
    std::string header_lines; // all, each with its CRLF, where the plan asks for them
    std::optional<std::string> gateway_secret; // shown elsewhere than in the header lines
    std::string request_id;                    // UUID text, made by the server
    bool is_behind_proxy = false;              // a trusted proxy said the source
    bool has_joined_fields = false;            // a gateway joined fields of one name with commas
};

/// Names and values; few enough to lie in the answer itself.
using HttpHeaders = boost::container::small_vector<std::pair<std::string_view, std::string>, 2>;

struct HttpResponse {
    int status = 200;
    std::string_view content_type = "application/json";
    std::string body;
    HttpHeaders headers;                          // besides the standing ones
    AuditTicket ticket = 0;                       // the answer may leave only when this is durable
    std::unique_ptr<BodyStream> stream = nullptr; // gives the body, instead of `body`
    std::unique_ptr<FollowedBody> followed = nullptr; // likewise

    bool comes_in_pieces() const { return stream != nullptr || followed != nullptr; }
};

/// Where a route runs: Inline touches memory only, Worker may block (database, password hash).
enum class RunsOn : std::uint8_t { inline_thread, worker };

/// The classes of admission (overload degrades in this order).
enum class RequestClass : std::uint8_t {
    health,
    metadata,
    decision,
    token,
    administration,
    sign_in
};

/// What the server needs to know of a request once its head has been read.
struct RoutePlan {
    std::size_t max_body = 0; // bytes
    RequestClass request_class = RequestClass::administration;
    std::string_view route_id; // operation id, or "unmatched"; a label of bounded cardinality
    bool needs_header_lines = false;
};

/// What the server calls. Implemented by api/dispatch.
class HttpHandler {
public:
    virtual ~HttpHandler() = default;
    /// After the head, before the body.
    virtual RoutePlan plan(HttpMethod method, std::string_view path) const = 0;
    /// With the body there: where serve() must run. A password grant needs a worker.
    virtual RunsOn runs_on(const HttpRequest& request) const = 0;
    /// Never throws; every failure is an answer.
    virtual HttpResponse serve(const HttpRequest& request) = 0;
    /// An answer in the API's error shape for what the server refuses by itself (400, 408, 413,
    /// 431, 501, 503). `detail` is a fixed text.
    virtual HttpResponse refuse(int status, std::string_view detail,
                                const HttpRequest& request) = 0;
};

} // namespace claviger
