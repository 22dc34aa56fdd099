// SPDX-License-Identifier: Apache-2.0
// Takes one request off the input: Boost.Beast checks the framing once more and takes chunked
// bodies apart; the body is collected up to its limit.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "server/admit.h"

namespace claviger {

/// Beast's parser without its message. Fields are not kept: the head has been read by admit(), and
/// trailer fields are never headers (RFC 9110 6.5.1).
class BodyParser final : public boost::beast::http::basic_parser<true> {
public:
    explicit BodyParser(std::string& into) : body(into) {}

    std::string& body;
    bool has_trailer = false; // somebody sent fields that nobody reads

private:
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;
    using verb = boost::beast::http::verb;
    using field = boost::beast::http::field;

    void on_request_impl(verb, string_view, string_view, int, error_code& ec) override { ec = {}; }
    void on_response_impl(int, string_view, int, error_code& ec) override { ec = {}; }
    void on_field_impl(field, string_view, string_view, error_code& ec) override {
        ec = {};
        has_trailer = head_is_over_;
    }
    void on_header_impl(error_code& ec) override {
        ec = {};
        head_is_over_ = true;
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& ec) override {
        ec = {};
    }
    std::size_t on_body_impl(string_view part, error_code& ec) override {
        ec = {};
        body.append(part.data(), part.size());
        return part.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code& ec) override { ec = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code& ec) override {
        ec = {};
        body.append(part.data(), part.size());
        return part.size();
    }
    void on_finish_impl(error_code& ec) override { ec = {}; }

    bool head_is_over_ = false;
};

class BodyReader {
public:
    /// Appends the body to `body`. A request without one ends with its head.
    BodyReader(std::string& body, std::size_t most_bytes, const AdmittedHead& head);

    enum class Progress : std::uint8_t { needs_more, done, refused };
    /// Reads on in `input`, whose first bytes on the first call are the head, and takes off what
    /// has been used.
    Progress read(std::string& input);

    bool has_trailer() const { return parser_.has_trailer; }
    const HttpRefusal& refusal() const { return refusal_; }

private:
    Progress refuse(int status, std::string_view detail);

    BodyParser parser_;
    HttpRefusal refusal_;
    bool has_body_;
    std::size_t head_size_;
};

} // namespace claviger
