// SPDX-License-Identifier: Apache-2.0
#include "server/admit.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "api/request_target.h"
#include "base/text.h"

namespace claviger {
namespace {

using Outcome = std::optional<HttpRefusal>; // nothing: go on

constexpr Outcome bad(std::string_view detail) {
    return HttpRefusal{400, detail};
}

constexpr std::array<bool, 256> make_token_characters() { // RFC 9110 5.6.2
    std::array<bool, 256> table{};
    for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-.^_`|~")) {
        table[static_cast<std::uint8_t>(c)] = true;
    }
    return table;
}

constexpr std::array<bool, 256> token_characters = make_token_characters();

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return token_characters[static_cast<std::uint8_t>(c)];
    });
}

/// Whether no byte is a control character, tabs aside. Eight bytes at a time as long as they hold
/// none at all: values are long.
bool is_clean(std::string_view value) {
    constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF; // a one in each byte
    constexpr std::uint64_t highs = ones * 0x80;
    while (value.size() >= sizeof(std::uint64_t)) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, value.data(), sizeof bytes);
        const std::uint64_t deletes = bytes ^ (ones * 0x7F);
        const std::uint64_t found =
            ((bytes - ones * 0x20) & ~bytes & highs) | ((deletes - ones) & ~deletes & highs);
        if (found != 0) {
            break;
        }
        value.remove_prefix(sizeof bytes);
    }
    return std::ranges::all_of(value, [](char c) {
        const auto byte = static_cast<std::uint8_t>(c);
        return (byte >= 0x20 && byte != 0x7F) || c == '\t';
    });
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
    return is_token(text) ? std::optional(HttpMethod::other) : std::nullopt;
}

Outcome read_request_target(std::string_view text, AdmittedHead& head) {
    if (text.size() > longest_target) {
        return HttpRefusal{414, "The request target is too long."};
    }
    if (text == "*" && head.method == HttpMethod::options) {
        return HttpRefusal{405, "This path does not take this method."};
    }
    const auto target = read_target(text);
    if (!target) {
        return bad("The request target is not canonical.");
    }
    head.path = target->path;
    head.query = target->query;
    return std::nullopt;
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
                   ? HttpRefusal{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."}
                   : *bad("The request line is malformed.");
    }
    head.http_1_0 = version == "HTTP/1.0";
    const auto method = method_of(line.substr(0, first));
    if (!method) {
        return bad("The method is malformed.");
    }
    head.method = *method;
    return read_request_target(line.substr(first + 1, last - first - 1), head);
}

/// What has been seen of the fields that may stand once only.
struct Seen {
    bool host = false;
    bool length = false;
    bool coding = false;
    bool authorization = false;
    bool type = false;
    bool close = false; // as an option of Connection
    bool keep_alive = false;
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
    head.host = host_name_of(value);
    return head.host.empty() ? bad("The Host header is malformed.") : Outcome();
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
        return HttpRefusal{501, "The only transfer coding here is chunked."};
    }
    head.chunked = true;
    return std::nullopt;
}

Outcome read_connection(std::string_view value, Seen& seen) {
    while (!value.empty()) {
        const std::string_view option = value.substr(0, value.find(','));
        value.remove_prefix(std::min(option.size() + 1, value.size()));
        const std::string_view name = trim(option);
        if (ascii_iequal(name, "close")) {
            seen.close = true;
        } else if (ascii_iequal(name, "keep-alive")) {
            seen.keep_alive = true;
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
        return read_connection(value, seen);
    }
    if (ascii_iequal(name, "Authorization")) {
        head.authorization = value;
        return take_once(seen.authorization, "Two Authorization headers.");
    }
    if (ascii_iequal(name, "Content-Type")) {
        head.content_type = value;
        return take_once(seen.type, "Two Content-Type headers.");
    }
    if (ascii_iequal(name, "Accept")) {
        head.accept = value;
        return std::nullopt;
    }
    if (ascii_iequal(name, "Last-Event-ID")) {
        head.last_event_id = value;
        return std::nullopt;
    }
    if (ascii_iequal(name, "User-Agent")) {
        head.user_agent = value;
        return std::nullopt;
    }
    if (ascii_iequal(name, "X-Forwarded-For")) {
        head.forwarded_for += head.forwarded_for.empty() ? "" : ","; // proxies may add a line
        head.forwarded_for += value;
        return std::nullopt;
    }
    if (ascii_iequal(name, "Expect")) {
        head.expects_continue = ascii_iequal(value, "100-continue");
        return head.expects_continue ? Outcome()
                                     : HttpRefusal{417, "This expectation cannot be met."};
    }
    if (ascii_iequal(name, "Upgrade")) {
        return bad("Protocol upgrades are not offered.");
    }
    if (ascii_iequal(name, "Content-Encoding") && !ascii_iequal(value, "identity")) {
        return HttpRefusal{415, "Encoded bodies are not read."};
    }
    return std::nullopt;
}

Outcome read_field_line(std::string_view line, AdmittedHead& head, Seen& seen) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name)) {
        return bad("A header line is malformed.");
    }
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_clean(value)) {
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
    // Not find_first_of(), which calls a function for every byte.
    const auto holds = [&](char c) { return line.find(c) != std::string_view::npos; };
    return holds('\r') || holds('\n') || holds('\0') ? std::nullopt : std::optional(line);
}

/// Into the memory that is there, if it is.
void copy(const std::optional<std::string_view>& from, std::optional<std::string>& to) {
    if (!from) {
        to.reset();
    } else if (to) {
        *to = *from;
    } else {
        to.emplace(*from);
    }
}

} // namespace

HeadScan scan_head(std::string_view bytes, std::size_t scanned) {
    HeadScan scan;
    scan.scanned = scanned;
    while (true) {
        const std::size_t line_feed = bytes.find('\n', scan.scanned);
        if (line_feed == std::string_view::npos) {
            scan.scanned = bytes.size();
            return scan;
        }
        scan.scanned = line_feed + 1;
        if (line_feed == 0 || bytes[line_feed - 1] != '\r') {
            scan.malformed = true;
            return scan;
        }
        // An empty line: the head's last, or, as its first one, no head at all.
        if (line_feed == 1 || bytes[line_feed - 2] == '\n') {
            scan.head_size = line_feed + 1;
            return scan;
        }
    }
}

std::expected<AdmittedHead, HttpRefusal> admit(std::string_view head_bytes) {
    AdmittedHead head;
    head.size = head_bytes.size();
    Seen seen;
    // Before anything of a folded line is believed.
    if (head_bytes.find("\r\n ") != std::string_view::npos ||
        head_bytes.find("\r\n\t") != std::string_view::npos) {
        return std::unexpected(*bad("A header line is folded."));
    }
    std::string_view rest = head_bytes;
    const auto request_line = take_line(rest);
    if (!request_line) {
        return std::unexpected(*bad("The request line is malformed."));
    }
    if (auto refused = read_request_line(*request_line, head)) {
        return std::unexpected(*refused);
    }
    head.header_lines = rest.substr(0, rest.size() - std::min<std::size_t>(rest.size(), 2));
    for (std::size_t lines = 0;; ++lines) {
        const auto line = take_line(rest);
        if (!line) {
            return std::unexpected(*bad("A header line is malformed."));
        }
        if (line->empty()) {
            break;
        }
        if (lines >= most_header_lines) {
            return std::unexpected(HttpRefusal{431, "More than 64 header lines."});
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
    head.close = seen.close || (head.http_1_0 && !seen.keep_alive);
    head.expects_continue = head.expects_continue && !head.http_1_0; // RFC 9110 10.1.1
    return head;
}

void take_head(const AdmittedHead& head, HttpRequest& request) {
    request.method = head.method;
    request.path = head.path;
    request.query = head.query;
    request.host = head.host;
    copy(head.authorization, request.authorization);
    copy(head.content_type, request.content_type);
    copy(head.accept, request.accept);
    copy(head.last_event_id, request.last_event_id);
    request.user_agent = head.user_agent;
}

} // namespace claviger
