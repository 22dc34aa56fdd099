// SPDX-License-Identifier: Apache-2.0
// Which resource a request names, and at which host: read strictly, so that every reader of the
// same bytes sees the same one (RFC 3986, RFC 9110 7.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace claviger {

inline constexpr std::size_t longest_target = 4 * 1024; // bytes

/// A request target in origin form; the views point into its text.
struct RequestTarget {
    std::string_view path; // canonical, still percent-encoded
    std::string_view query;
};

/// Reads "/path?query". Nothing when it holds a character that may not stand there, or when its
/// path is not the only way to write it: empty, "." and ".." segments, path parameters, needless
/// escapes, and escaped slashes, backslashes and percent signs are all refused.
std::optional<RequestTarget> read_target(std::string_view text);

/// The host name without its port, in lower case; empty when the Host header is malformed.
std::string host_name_of(std::string_view host);

} // namespace claviger
