// SPDX-License-Identifier: Apache-2.0
#include "server/admit.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

using Outcome = std::optional<Refusal>; // nothing: go on

constexpr Outcome bad(std::string_view detail) {
    return Refusal{400, detail};
}

bool is_token_character(char c) { // RFC 9110 5.6.2
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<HttpMethod> method_of(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, HttpMethod>, 7> known{{
        {"GET", HttpMethod::get},
        {"HEAD", HttpMethod::head},
        {"POST", HttpMethod::post},
        {"PUT", HttpMethod::put},
        {"PATCH", HttpMethod::patch},
        {"DELETE", HttpMethod::remove},
        {"OPTIONS", HttpMethod::options},
    }};
    for (const auto& [name, method] : known) {
        if (name == text) {
            return method;
        }
    }
    const bool token = !text.empty() && std::ranges::all_of(text, is_token_character);
    return token ? std::optional(HttpMethod::other) : std::nullopt;
}

bool is_unreserved(std::uint8_t c) { // RFC 3986 2.3
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/// Percent escapes are for what needs them: decoded once, the segment is clean UTF-8 text, and
/// neither "." nor "..", nor anything with a slash.
bool is_canonical_segment(std::string_view segment) {
    std::string decoded;
    while (!segment.empty()) {
        if (segment.front() != '%') {
            decoded += segment.front();
            segment.remove_prefix(1);
            continue;
        }
        const auto byte = decode_hex(segment.substr(1, 2));
        if (!byte || byte->size() != 1 || is_unreserved(byte->front()) || byte->front() == '/' ||
            byte->front() == '\\' || byte->front() == '%') {
            return false;
        }
        decoded += static_cast<char>(byte->front());
        segment.remove_prefix(3);
    }
    return decoded != "." && decoded != ".." && is_printable_utf8(decoded);
}

Outcome read_path(std::string_view path) {
    if (!path.starts_with('/')) {
        return bad("The request target must begin with a slash.");
    }
    std::string_view rest = path.substr(1);
    while (true) {
        const std::string_view segment = rest.substr(0, rest.find('/'));
        const bool last = segment.size() == rest.size();
        if ((segment.empty() && path.size() > 1) || !is_canonical_segment(segment) ||
            segment.find(';') != std::string_view::npos) {
            return bad("The path is not canonical.");
        }
        if (last) {
            return std::nullopt;
        }
        rest.remove_prefix(segment.size() + 1);
    }
}

Outcome read_target(std::string_view target, AdmittedHead& head) {
    if (target.size() > longest_target) {
        return Refusal{414, "The request target is too long."};
    }
    const bool clean = std::ranges::all_of(target, [](char c) {
        return c > 0x20 && c < 0x7F &&
               std::string_view("#\\<>\"{}|^`").find(c) == std::string_view::npos;
    });
    if (!clean) {
        return bad("The request target holds characters that it may not.");
    }
    if (target == "*" && head.method == HttpMethod::options) {
        return Refusal{405, "This path does not take this method."};
    }
    const std::size_t question = target.find('?');
    head.path = target.substr(0, question);
    head.query = question == std::string_view::npos ? "" : target.substr(question + 1);
    return read_path(head.path);
}

Outcome read_request_line(std::string_view line, AdmittedHead& head) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return bad("The request line is malformed.");
    }
    const std::string_view version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return version.starts_with("HTTP/") && version.size() == 8
                   ? Refusal{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."}
                   : *bad("The request line is malformed.");
    }
    head.http_1_0 = version == "HTTP/1.0";
    head.close = head.http_1_0;
    const auto method = method_of(line.substr(0, first));
    if (!method) {
        return bad("The method is malformed.");
    }
    head.method = *method;
    return read_target(line.substr(first + 1, last - first - 1), head);
}

/// What has been seen of the fields that may stand once only.
struct Seen {
    bool host = false, length = false, coding = false, authorization = false, type = false,
         forwarded = false, agent = false;
};

Outcome take_once(bool& seen, std::string_view detail) {
    if (seen) {
        return bad(detail);
    }
    seen = true;
    return std::nullopt;
}

Outcome read_host(std::string_view value, AdmittedHead& head, Seen& seen) {
    if (auto refused = take_once(seen.host, "Two Host headers.")) {
        return refused;
    }
    if (host_name_of(value).empty()) {
        return bad("The Host header is malformed.");
    }
    head.host = value;
    return std::nullopt;
}

Outcome read_length(std::string_view value, AdmittedHead& head, Seen& seen) {
    if (auto refused = take_once(seen.length, "Two Content-Length headers.")) {
        return refused;
    }
    const bool digits = std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    const auto length = parse_integer<std::uint64_t>(value);
    if (!digits || !length) {
        return bad("Content-Length is malformed.");
    }
    head.content_length = *length;
    return std::nullopt;
}

Outcome read_coding(std::string_view value, AdmittedHead& head, Seen& seen) {
    if (auto refused = take_once(seen.coding, "Two Transfer-Encoding headers.")) {
        return refused;
    }
    if (head.http_1_0) {
        return bad("Transfer-Encoding in HTTP/1.0.");
    }
    if (!ascii_iequal(value, "chunked")) {
        return Refusal{501, "The only transfer coding here is chunked."};
    }
    head.chunked = true;
    return std::nullopt;
}

Outcome read_connection(std::string_view value, AdmittedHead& head) {
    while (!value.empty()) {
        const std::string_view option = value.substr(0, value.find(','));
        value.remove_prefix(std::min(option.size() + 1, value.size()));
        const std::string_view name = trim(option);
        if (ascii_iequal(name, "close")) {
            head.close = true;
        } else if (ascii_iequal(name, "keep-alive")) {
            head.close = false;
        } else if (ascii_iequal(name, "upgrade")) {
            return bad("Protocol upgrades are not offered.");
        }
    }
    return std::nullopt;
}

Outcome read_field(std::string_view name, std::string_view value, AdmittedHead& head, Seen& seen) {
    if (ascii_iequal(name, "Host")) {
        return read_host(value, head, seen);
    }
    if (ascii_iequal(name, "Content-Length")) {
        return read_length(value, head, seen);
    }
    if (ascii_iequal(name, "Transfer-Encoding")) {
        return read_coding(value, head, seen);
    }
    if (ascii_iequal(name, "Connection")) {
        return read_connection(value, head);
    }
    if (ascii_iequal(name, "Authorization")) {
        head.authorization = value;
        return take_once(seen.authorization, "Two Authorization headers.");
    }
    if (ascii_iequal(name, "Content-Type")) {
        head.content_type = value;
        return take_once(seen.type, "Two Content-Type headers.");
    }
    if (ascii_iequal(name, "X-Forwarded-For")) {
        head.forwarded_for = value;
        return take_once(seen.forwarded, "Two X-Forwarded-For headers.");
    }
    if (ascii_iequal(name, "User-Agent")) {
        head.user_agent = value.substr(0, 256);
        return std::nullopt;
    }
    if (ascii_iequal(name, "Expect")) {
        head.expects_continue = ascii_iequal(value, "100-continue");
        return head.expects_continue ? Outcome() : Refusal{417, "This expectation cannot be met."};
    }
    if (ascii_iequal(name, "Upgrade")) {
        return bad("Protocol upgrades are not offered.");
    }
    if (ascii_iequal(name, "Content-Encoding") && !ascii_iequal(value, "identity")) {
        return Refusal{415, "Encoded bodies are not read."};
    }
    return std::nullopt;
}

Outcome read_field_line(std::string_view line, AdmittedHead& head, Seen& seen) {
    if (line.starts_with(' ') || line.starts_with('\t')) {
        return bad("A header line is folded.");
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || name.empty() ||
        !std::ranges::all_of(name, is_token_character)) {
        return bad("A header line is malformed.");
    }
    const std::string_view value = trim(line.substr(colon + 1));
    const bool clean = std::ranges::all_of(value, [](char c) {
        const auto byte = static_cast<std::uint8_t>(c);
        return (byte >= 0x20 && byte != 0x7F) || c == '\t';
    });
    if (!clean) {
        return bad("A header value holds control characters.");
    }
    // A proxy may read X_Y as X-Y: such names could smuggle a header past it. They are not ours.
    return name.find('_') != std::string_view::npos ? Outcome()
                                                    : read_field(name, value, head, seen);
}

/// Takes one line that ends in CRLF; a bare CR or LF inside it ends the request.
std::optional<std::string_view> take_line(std::string_view& rest) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos
               ? std::optional(line)
               : std::nullopt;
}

} // namespace

std::string host_name_of(std::string_view host) {
    std::string_view name = host;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) {
            return {};
        }
        name = host.substr(0, end + 1);
        port = host.substr(end + 1);
    } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
        name = host.substr(0, colon);
        port = host.substr(colon);
    }
    const bool bracketed = name.starts_with('[');
    const std::string_view allowed =
        bracketed ? "0123456789abcdef:.[]" : "0123456789abcdefghijklmnopqrstuvwxyz.-";
    const std::string lower = ascii_lower(name);
    const bool good_name = !lower.empty() && lower.size() <= 253 &&
                           lower.find_first_not_of(allowed) == std::string::npos;
    const bool good_port =
        port.empty() || (port.starts_with(':') && port.size() <= 6 &&
                         parse_integer<std::uint16_t>(port.substr(1)).has_value());
    return good_name && good_port ? lower : std::string();
}

std::expected<AdmittedHead, Refusal> admit(std::string_view head_bytes) {
    AdmittedHead head;
    Seen seen;
    std::string_view rest = head_bytes;
    const auto request_line = take_line(rest);
    if (!request_line) {
        return std::unexpected(*bad("The request line is malformed."));
    }
    if (auto refused = read_request_line(*request_line, head)) {
        return std::unexpected(*refused);
    }
    for (std::size_t lines = 0;; ++lines) {
        const auto line = take_line(rest);
        if (!line) {
            return std::unexpected(*bad("A header line is malformed."));
        }
        if (line->empty()) {
            break;
        }
        if (lines >= most_header_lines) {
            return std::unexpected(Refusal{431, "More than 64 header lines."});
        }
        if (auto refused = read_field_line(*line, head, seen)) {
            return std::unexpected(*refused);
        }
    }
    if (!seen.host && !head.http_1_0) {
        return std::unexpected(*bad("The Host header is missing."));
    }
    if (seen.length && seen.coding) {
        return std::unexpected(*bad("Content-Length beside Transfer-Encoding."));
    }
    return head;
}

} // namespace claviger
