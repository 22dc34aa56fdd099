// SPDX-License-Identifier: Apache-2.0
// Endpoints, declared once: the handler's signature is the wire contract, and route<handler>({...})
// next to it gives all the rest. A route that does not say who may call it does not compile.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/body_stream.h"
#include "api/codec.h"
#include "api/context.h"
#include "api/input.h"
#include "api/schema.h"

namespace claviger {

/// Where the permission of a route is evaluated (contract 2.13).
enum class EvaluatedAt : std::uint8_t {
    tenant,   ///< At the root of the tenant's tree.
    anywhere, ///< Held somewhere: the handler shows only what is within reach.
    request,  ///< Where Request::scope(context) says.
};

/// Who may call an operation. There is no default constructor: every route must say.
class Access {
public:
    /// No token is needed and none is read.
    static constexpr Access anyone() { return Access(Kind::anyone, {}, {}, {}); }
    /// Any valid token.
    static constexpr Access authenticated() { return Access(Kind::authenticated, {}, {}, {}); }
    /// As authenticated(), but the handler may also be called without a caller: by who sends an
    /// e-mail and a password in the Basic scheme, which the handler must judge.
    static constexpr Access authenticated_or_basic() {
        return Access(Kind::authenticated_or_basic, {}, {}, {});
    }
    static constexpr Access permission(std::string_view resource_type, Action action,
                                       EvaluatedAt at) {
        return Access(Kind::permission, resource_type, action, at);
    }

    bool needs_token() const { return kind_ != Kind::anyone; }
    bool takes_basic() const { return kind_ == Kind::authenticated_or_basic; }
    bool needs_permission() const { return kind_ == Kind::permission; }
    std::string_view resource_type() const { return resource_type_; }
    Action action() const { return action_; }
    EvaluatedAt at() const { return at_; }

private:
    enum class Kind : std::uint8_t { anyone, authenticated, authenticated_or_basic, permission };
    constexpr Access(Kind kind, std::string_view resource_type, Action action, EvaluatedAt at)
        : kind_(kind), resource_type_(resource_type), action_(action), at_(at) {}
    Kind kind_;
    std::string_view resource_type_;
    Action action_;
    EvaluatedAt at_;
};

/// The shape of a route's errors.
enum class ErrorStyle : std::uint8_t {
    problem,     ///< {code, message, details}
    oauth,       ///< {error, error_description} (RFC 6749 5.2)
    oauth_realm, ///< As oauth, but a wrong password is 401 as well.
};

struct Operation {
    HttpMethod method;
    std::string_view path; // "/api/v1/service-accounts/{serviceAccountId}"
    std::string_view id;   // unique, camelCase
    std::string_view tag;
    std::string_view summary;
    Access access;
    int success = 200;
    RunsOn runs_on = RunsOn::worker;
    /// An inline route goes to a worker when its body holds one of these words.
    std::span<const std::string_view> worker_words = {};
    RequestClass request_class = RequestClass::administration;
    BodyForm body = BodyForm::json; // for POST, PUT and PATCH; `none`: fields stand in the query
    std::size_t max_body = 1 << 20; // bytes
    std::size_t max_members = 256;  // of a JSON object
    ErrorStyle errors = ErrorStyle::problem;
    std::string_view response_type = "application/json";
    std::string_view events_type = {}; // of the answer to who asks for events as they come
    bool may_be_gone = false;          // what is asked for may be kept no longer
    bool deprecated = false;           // for clients of earlier days; the document says so
};

/// A handler's answer without a body.
struct Empty {};
BOOST_DESCRIBE_STRUCT(Empty, (), ())
/// A request without fields.
struct NoFields {};
BOOST_DESCRIBE_STRUCT(NoFields, (), ())

/// Says in `context` whether the route's permission is held at `scope` (or, without one, where the
/// access says). `access_denied` names what is missing, and the context's refusal as well.
Result<void> authorise(Context& context, const Access& access, std::optional<NodeIndex> scope);

template <class Request>
concept HasScope = requires(const Request& request, const Context& context) {
    { request.scope(context) } -> std::same_as<Result<NodeIndex>>;
};

struct Route {
    Operation operation;
    bool reads_body;
    bool has_scope;
    Result<std::string> (*call)(Context&, const Access&, const Input&);
    json::object (*request_schema)(Schemas&);
    std::string_view whole_body; // the field that is the whole body, if one is
    bool has_response_body;
    json::object (*response_schema)(Schemas&); // empty object: any JSON
};
using Routes = std::vector<Route>;

constexpr bool method_has_body(HttpMethod method) {
    return method == HttpMethod::post || method == HttpMethod::put || method == HttpMethod::patch;
}

template <class>
struct Signature;
template <class Answer, class Fields>
struct Signature<Result<Answer> (*)(Context&, const Fields&)> {
    using Response = Answer;
    using Request = Fields;
};

template <class T>
struct IsStreamed : std::false_type {
    using Body = T;
};
template <class T>
struct IsStreamed<Streamed<T>> : std::true_type {
    using Body = T;
};

template <class T>
struct IsFollowed : std::false_type {};
template <class T>
struct IsFollowed<Followed<T>> : std::true_type {};
template <class T>
struct IsStreamed<Followed<T>> : std::true_type {
    using Body = T;
};

/// Takes the stream out of a response that has one.
template <class Response>
void encode_answer(Context& context, JsonWriter& out, Response& response) {
    if constexpr (IsFollowed<Response>::value) {
        context.followed = std::move(response.body);
    } else if constexpr (!IsStreamed<Response>::value) {
        encode(out, response);
    } else if (auto* stream = std::get_if<std::unique_ptr<BodyStream>>(&response.body)) {
        context.stream = std::move(*stream);
    } else if constexpr (!std::is_same_v<typename IsStreamed<Response>::Body, FileBody>) {
        encode(out, std::get<typename IsStreamed<Response>::Body>(response.body));
    }
}

/// What most answers fit into, in bytes.
inline constexpr std::size_t usual_body = 1024;

template <auto handler>
Result<std::string> call_handler(Context& context, const Access& access, const Input& input) {
    using Types = Signature<decltype(handler)>;
    const auto request = TRY(decode_request<typename Types::Request>(input));
    std::optional<NodeIndex> scope;
    if constexpr (HasScope<typename Types::Request>) {
        scope = TRY(request.scope(context));
    }
    TRY(authorise(context, access, scope));
    auto response = TRY(handler(context, request));
    std::string body;
    if constexpr (!std::is_same_v<typename Types::Response, Empty>) {
        body.reserve(usual_body);
        JsonWriter writer(body);
        encode_answer(context, writer, response);
    }
    return body;
}

template <auto handler>
constexpr Route route(Operation operation) {
    using Types = Signature<decltype(handler)>;
    return {operation,
            method_has_body(operation.method) && operation.body != BodyForm::none,
            HasScope<typename Types::Request>,
            &call_handler<handler>,
            &object_schema<typename Types::Request>,
            whole_body_field<typename Types::Request>(),
            !std::is_same_v<typename Types::Response, Empty>,
            [](Schemas& schemas) -> json::object {
                if constexpr (std::is_same_v<typename Types::Response, Empty>) {
                    return {};
                } else {
                    return schema_of<typename IsStreamed<typename Types::Response>::Body>(schemas);
                }
            }};
}

} // namespace claviger
