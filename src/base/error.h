// SPDX-License-Identifier: Apache-2.0
// How every fallible function of Claviger answers: Result<T>, and TRY to pass a failure on.
// Absent is std::optional, refused is access::Decision, failed is Error.
#pragma once

#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace claviger {

/// What the caller can do about a failure. `api/problem.cpp` maps each code to HTTP.
enum class ErrorCode {
    invalid_request,        ///< The caller sent something malformed: change it and try again.
    invalid_client,         ///< Client authentication failed (RFC 6749 5.2).
    invalid_grant,          ///< The user's password or grant is wrong (RFC 6749 5.2).
    unauthorized_client,    ///< The client may not use this grant (RFC 6749 5.2).
    unsupported_grant_type, ///< The server does not know this grant (RFC 6749 5.2).
    invalid_scope,          ///< The asked scope is unknown or too wide (RFC 6749 5.2).
    invalid_target,         ///< The asked resource is not registered (RFC 8707 2).
    unauthenticated,        ///< No valid bearer token: sign in again (RFC 6750 3.1).
    access_denied,          ///< Known, but not permitted: ask for a rule.
    not_found,              ///< No such object in the caller's tenant.
    gone,                   ///< It was there, and is kept no longer: begin anew.
    conflict,               ///< The object exists, or is in a state that forbids this.
    too_many_requests,      ///< Throttled: wait, then try again.
    too_large,              ///< The input is above a limit.
    unsupported_media_type, ///< The body is of a kind that this route does not read.
    unavailable,            ///< Nothing was done and nothing is known: try again later.
    internal,               ///< A defect or a broken machine: look into the log.
};

/// A failure: a code for programs, a sentence for people, and where it arose (for the log only).
class Error {
public:
    Error(ErrorCode code, std::string detail,
          std::source_location where = std::source_location::current())
        : code_(code), detail_(std::move(detail)), where_(where) {}

    ErrorCode code() const { return code_; }
    const std::string& detail() const { return detail_; }
    const std::source_location& where() const { return where_; }

private:
    ErrorCode code_;
    std::string detail_;
    std::source_location where_;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string detail,
                                   std::source_location where = std::source_location::current()) {
    return std::unexpected(Error(code, std::move(detail), where));
}

/// What a Result that succeeded holds. Unlike expected's own `*`, it may go unused: TRY is also a
/// statement.
template <class Succeeded>
decltype(auto) take_value(Succeeded&& result) {
    return *std::forward<Succeeded>(result);
}

} // namespace claviger

/// Yields the value of a Result or returns its Error from the enclosing function.
/// Use it only as a whole initialiser or as a statement: GCC 12 leaks in larger expressions.
#define TRY(...) CLAVIGER_TRY_NUMBERED(__COUNTER__, __VA_ARGS__)
#define CLAVIGER_TRY_NUMBERED(number, ...) CLAVIGER_TRY_NAMED(number, __VA_ARGS__)
#define CLAVIGER_TRY_NAMED(number, ...)                                                            \
    __extension__({                                                                                \
        auto try_result_##number = (__VA_ARGS__);                                                  \
        if (!try_result_##number) {                                                                \
            return std::unexpected(std::move(try_result_##number).error());                        \
        }                                                                                          \
        claviger::take_value(std::move(try_result_##number));                                      \
    })
