// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request: the head is admitted or refused, and what is admitted keeps the promises
// that the rest of the server relies on; Beast must split the message as admit() said.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/request_target.h"
#include "base/text.h"
#include "server/admit.h"
#include "server/body_reader.h"

namespace {

using claviger::AdmittedHead;
using claviger::BodyReader;

constexpr std::size_t most_body = 4096;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_head(std::string_view bytes, const AdmittedHead& head) {
    require(bytes.find('\0') == std::string_view::npos);
    require(head.path.starts_with('/'));
    require(head.path.find("//") == std::string_view::npos);
    require(head.path.find("/../") == std::string_view::npos && !head.path.ends_with("/.."));
    require(head.path.size() + head.query.size() <= claviger::longest_target);
    require(!head.chunked || head.content_length == 0);
    require(!head.host.empty() || head.http_1_0);
    for (const std::string_view value :
         {head.authorization.value_or(""), head.content_type.value_or("")}) {
        require(value.find_first_of("\r\n") == std::string_view::npos);
    }
    const auto again = claviger::read_target(head.path);
    require(again.has_value() && again->path == head.path);
}

void check_body(std::string input, std::size_t head_size, AdmittedHead head, bool by_beast) {
    const std::size_t all = input.size();
    const bool chunked = head.chunked;
    head.chunked = chunked || by_beast; // else the reader may take off the head by itself
    std::string body;
    BodyReader reader(body, most_body, head);
    const auto progress = reader.read(input);
    if (progress != BodyReader::Progress::done) {
        return;
    }
    require(body.size() <= most_body);
    if (!chunked) {
        require(body.size() == head.content_length);
        require(all - input.size() == head_size + head.content_length);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const claviger::HeadScan scan = claviger::scan_head(bytes, 0);
    if (scan.head_size == 0 || scan.head_size > claviger::longest_head) {
        return 0;
    }
    const std::string_view text = std::string_view(bytes).substr(0, scan.head_size);
    const auto head = claviger::admit(text);
    if (!head) {
        require(head.error().status >= 400 && head.error().status < 600);
        require(!head.error().detail.empty());
        return 0;
    }
    check_head(text, *head);
    check_body(bytes, scan.head_size, *head, false);
    check_body(bytes, scan.head_size, *head, true);
    return 0;
}
