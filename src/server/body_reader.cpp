// SPDX-License-Identifier: Apache-2.0
#include "server/body_reader.h"

#include <boost/asio/buffer.hpp>

#include "base/secret.h"

namespace claviger {
namespace {

constexpr std::size_t most_unparsed = 16 * 1024; // bytes that wait for the rest of a chunk line

/// What is used may hold secrets.
void take(std::size_t used, std::string& input) {
    if (used == input.size()) {
        wipe(input);
    } else {
        input.erase(0, used);
    }
}

} // namespace

BodyReader::BodyReader(std::string& body, std::size_t most_bytes, const AdmittedHead& head)
    : parser_(body), has_body_(head.chunked || head.content_length != 0), head_size_(head.size) {
    parser_.eager(true);
    parser_.header_limit(static_cast<std::uint32_t>(longest_head));
    parser_.body_limit(most_bytes);
}

BodyReader::Progress BodyReader::read(std::string& input) {
    if (!has_body_) {
        take(head_size_, input);
        return Progress::done;
    }
    boost::system::error_code ec;
    take(parser_.put(boost::asio::buffer(input), ec), input);
    if (ec == boost::beast::http::error::body_limit) {
        return refuse(413, "The body is larger than this path takes.");
    }
    if (ec && ec != boost::beast::http::error::need_more) {
        return refuse(400, "The request's framing is malformed.");
    }
    if (parser_.is_done()) {
        return Progress::done;
    }
    if (input.size() > most_unparsed) {
        return refuse(400, "A chunk's line is too long.");
    }
    return Progress::needs_more;
}

BodyReader::Progress BodyReader::refuse(int status, std::string_view detail) {
    refusal_ = {status, detail};
    return Progress::refused;
}

} // namespace claviger
