// SPDX-License-Identifier: Apache-2.0
#include "cli/server_address.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>

#include "base/text.h"

namespace claviger {
namespace {

struct FreeUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
    void operator()(char* text) const { curl_free(text); }
};
using CurlUrl = std::unique_ptr<CURLU, FreeUrl>;
using CurlText = std::unique_ptr<char, FreeUrl>;

/// A part of an address, "" when it has none.
std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) {
        return {};
    }
    return CurlText(text).get();
}

bool is_own_machine(std::string host) {
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    in_addr four{};
    return host == "localhost" || host == "::1" ||
           (inet_pton(AF_INET, host.c_str(), &four) == 1 && host.starts_with("127."));
}

} // namespace

Result<std::string> server_address(const std::string& text, bool allows_http) {
    const CurlUrl url(curl_url());
    if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
        return fail(ErrorCode::invalid_request, "give an address like https://claviger.example");
    }
    const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
    if (scheme != "https" && scheme != "http") {
        return fail(ErrorCode::invalid_request, "give an address that begins with https://");
    }
    for (const CURLUPart part :
         {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
        if (!part_of(url.get(), part).empty()) {
            return fail(ErrorCode::invalid_request,
                        "give an address without user, query and fragment");
        }
    }
    if (scheme == "http" && !allows_http && !is_own_machine(part_of(url.get(), CURLUPART_HOST))) {
        return fail(ErrorCode::invalid_request,
                    "plain HTTP would show the secret to the network; give an https:// address, or "
                    "--allow-http where something else protects the way");
    }
    std::string address = part_of(url.get(), CURLUPART_URL);
    while (address.ends_with('/')) {
        address.pop_back();
    }
    return address;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const char lower = ascii_lower(c);
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
            c == '_' || c == '~') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

} // namespace claviger
