// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.h"

#include <curl/curl.h>

#include <array>
#include <exception>
#include <memory>
#include <vector>

#include "api/dispatch.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr long connect_seconds = 10;

/// libcurl wants to be told once a process, before there are threads.
struct CurlLibrary {
    CurlLibrary() { curl_global_init(CURL_GLOBAL_DEFAULT); }
    CurlLibrary(const CurlLibrary&) = delete;
    CurlLibrary& operator=(const CurlLibrary&) = delete;
    ~CurlLibrary() { curl_global_cleanup(); }
};

struct FreeCurl {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, FreeCurl>;
using CurlHeaders = std::unique_ptr<curl_slist, FreeCurl>;

/// What of an answer has come so far.
struct Incoming {
    ClientAnswer answer;
    std::size_t largest = 0;
    bool is_too_large = false;
};

// C code calls the next two, so nothing may be thrown through them; a short count ends it all.

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) noexcept {
    auto& incoming = *static_cast<Incoming*>(to);
    const std::size_t length = size * count;
    incoming.is_too_large = length > incoming.largest - incoming.answer.body.size();
    if (incoming.is_too_large) {
        return 0;
    }
    try {
        incoming.answer.body.append(bytes, length);
    } catch (const std::exception&) {
        return 0;
    }
    return length;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) noexcept {
    constexpr std::string_view name = "X-Request-Id:";
    auto& incoming = *static_cast<Incoming*>(to);
    const std::string_view line(bytes, size * count);
    if (line.size() < name.size() || !ascii_iequal(line.substr(0, name.size()), name)) {
        return line.size();
    }
    std::string_view value = line.substr(name.size());
    const auto first = value.find_first_not_of(" \t");
    value.remove_prefix(first == std::string_view::npos ? value.size() : first);
    try {
        incoming.answer.request_id = value.substr(0, value.find_first_of(" \t\r\n"));
    } catch (const std::exception&) {
        return 0;
    }
    return line.size();
}

void set_limits(CURL* handle, const ClientRequest& request, const ClientLimits& limits) {
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, limits.timeout_seconds);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    if (!limits.ca_file.empty()) {
        curl_easy_setopt(handle, CURLOPT_CAINFO, limits.ca_file.c_str());
        curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    }
    if (request.url.starts_with("http:")) {
        curl_easy_setopt(handle, CURLOPT_PROXY, ""); // a proxy would read the secret
    }
}

CurlHeaders headers_of(const ClientRequest& request) {
    std::vector<std::string> lines{"Accept: application/json", "Expect:"};
    if (!request.content_type.empty()) {
        lines.push_back("Content-Type: " + std::string(request.content_type));
    }
    if (!request.bearer.empty()) {
        lines.push_back("Authorization: Bearer " + std::string(request.bearer));
    }
    CurlHeaders headers;
    for (std::string& line : lines) {
        if (curl_slist* longer = curl_slist_append(headers.get(), line.c_str())) {
            static_cast<void>(headers.release());
            headers.reset(longer);
        }
        wipe(line);
    }
    return headers;
}

} // namespace

Result<ClientAnswer> send_request(const ClientRequest& request, const ClientLimits& limits) {
    static const CurlLibrary library;
    const CurlHandle owner(curl_easy_init());
    CURL* const handle = owner.get();
    if (handle == nullptr) {
        return fail(ErrorCode::unavailable, "the HTTP library does not start");
    }
    const CurlHeaders headers = headers_of(request);
    const std::string method(name_of(request.method));
    std::array<char, CURL_ERROR_SIZE> said{};
    Incoming incoming{{}, limits.largest_answer, false};
    set_limits(handle, request, limits);
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "claviger");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    if (!request.content_type.empty()) {
        const char* body = request.body.data(); // its size is told below
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &incoming);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &incoming);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, said.data());
    const CURLcode code = curl_easy_perform(handle);
    if (incoming.is_too_large) {
        return fail(ErrorCode::too_large, "the answer is larger than " +
                                              std::to_string(limits.largest_answer) + " bytes");
    }
    if (code != CURLE_OK) {
        return fail(ErrorCode::unavailable, said[0] != 0 ? said.data() : curl_easy_strerror(code));
    }
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    incoming.answer.status = static_cast<int>(status);
    return std::move(incoming.answer);
}

} // namespace claviger
