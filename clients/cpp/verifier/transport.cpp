// SPDX-License-Identifier: Apache-2.0
#include "verifier/transport.h"

#include <curl/curl.h>

#include <array>
#include <exception>
#include <vector>

#include "base/secret.h"
#include "base/text.h"

namespace claviger::offline {
namespace {

constexpr long connect_seconds = 5;
constexpr int longest_poll_milliseconds = 10'000; // stop() ends it at once

/// libcurl wants to be told once a process.
struct CurlLibrary {
    CurlLibrary() { curl_global_init(CURL_GLOBAL_DEFAULT); }
    CurlLibrary(const CurlLibrary&) = delete;
    CurlLibrary& operator=(const CurlLibrary&) = delete;
    ~CurlLibrary() { curl_global_cleanup(); }
};

template <auto free_function>
struct Free {
    void operator()(auto* object) const { free_function(object); }
};
using CurlHandle = std::unique_ptr<CURL, Free<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, Free<curl_multi_cleanup>>;
using CurlHeaders = std::unique_ptr<curl_slist, Free<curl_slist_free_all>>;

/// What of an answer has come so far.
struct Incoming {
    std::size_t largest = 0;
    bool is_too_large = false;
    std::string bytes;
    std::optional<std::int64_t> max_age;
};

/// The seconds of a Cache-Control line.
std::optional<std::int64_t> max_age_of(std::string_view line) {
    constexpr std::string_view name = "cache-control:";
    constexpr std::string_view directive = "max-age=";
    const std::string lower = ascii_lower(line);
    const std::size_t at = lower.find(directive);
    if (!lower.starts_with(name) || at == std::string::npos) {
        return std::nullopt;
    }
    const std::string_view rest = std::string_view(lower).substr(at + directive.size());
    return parse_integer<std::int64_t>(rest.substr(0, rest.find_first_not_of("0123456789")));
}

// C code calls the next two, so nothing may be thrown through them; a short count ends it all.

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) noexcept {
    auto& incoming = *static_cast<Incoming*>(to);
    const std::size_t length = size * count;
    incoming.is_too_large = length > incoming.largest - incoming.bytes.size();
    if (incoming.is_too_large) {
        return 0;
    }
    try {
        incoming.bytes.append(bytes, length);
    } catch (const std::exception&) {
        return 0;
    }
    return length;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) noexcept {
    auto& incoming = *static_cast<Incoming*>(to);
    const std::string_view line(bytes, size * count);
    try {
        if (const auto seconds = max_age_of(line)) {
            incoming.max_age = seconds;
        }
    } catch (const std::exception&) {
        return 0;
    }
    return line.size();
}

CurlHeaders headers_of(const Request& request) {
    std::vector<std::string> lines{"Expect:", request.is_event_stream ? "Accept: text/event-stream"
                                                                      : "Accept: application/json"};
    if (!request.content_type.empty()) {
        lines.push_back("Content-Type: " + request.content_type);
    }
    if (!request.last_event_id.empty()) {
        lines.push_back("Last-Event-ID: " + request.last_event_id);
    }
    if (!request.bearer.empty()) {
        lines.push_back("Authorization: Bearer " + request.bearer);
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

void set_limits(CURL* handle, const Request& request, const std::string& ca_file) {
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_milliseconds));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.silence_seconds));
    if (!ca_file.empty()) {
        curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file.c_str());
        curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    }
    if (request.url.starts_with("http:")) {
        curl_easy_setopt(handle, CURLOPT_PROXY, ""); // a proxy would read the secret
    }
}

class CurlTransport final : public Transport {
public:
    explicit CurlTransport(std::string ca_file) : ca_file_(std::move(ca_file)) {
        static const CurlLibrary library;
        multi_.reset(curl_multi_init());
    }

    Result<Answer> send(const Request& request, const TakeBytes& take) override;
    void stop() override {
        is_stopped_ = true;
        curl_multi_wakeup(multi_.get());
    }

private:
    Result<void> perform(CURL* handle, Incoming& incoming, const TakeBytes& take);

    std::string ca_file_;
    CurlMulti multi_; // keeps connections open between requests
    std::atomic<bool> is_stopped_{false};
};

long status_of(CURL* handle) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/// Until the transfer has ended, was stopped or is wanted no longer.
Result<void> CurlTransport::perform(CURL* handle, Incoming& incoming, const TakeBytes& take) {
    for (int running = 1; running > 0 && !is_stopped_;) {
        if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
            return fail(ErrorCode::unavailable, "the HTTP library failed");
        }
        if (take && !incoming.bytes.empty() && status_of(handle) == 200) {
            const std::string bytes = std::exchange(incoming.bytes, {});
            if (!take(bytes)) {
                return {};
            }
        }
        if (running > 0) {
            curl_multi_poll(multi_.get(), nullptr, 0, longest_poll_milliseconds, nullptr);
        }
    }
    if (is_stopped_) {
        return fail(ErrorCode::unavailable, "stopped");
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK) {
            return fail(ErrorCode::unavailable, curl_easy_strerror(message->data.result));
        }
    }
    return {};
}

Result<Answer> CurlTransport::send(const Request& request, const TakeBytes& take) {
    const CurlHandle owner(curl_easy_init());
    CURL* const handle = owner.get();
    if (handle == nullptr || !multi_) {
        return fail(ErrorCode::unavailable, "the HTTP library does not start");
    }
    const CurlHeaders headers = headers_of(request);
    Incoming incoming;
    incoming.largest = request.largest_answer;
    set_limits(handle, request, ca_file_);
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "claviger-verifier");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    if (!request.content_type.empty()) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.c_str());
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &incoming);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &incoming);
    if (curl_multi_add_handle(multi_.get(), handle) != CURLM_OK) {
        return fail(ErrorCode::unavailable, "the HTTP library failed");
    }
    const auto done = perform(handle, incoming, take);
    const int status = static_cast<int>(status_of(handle));
    curl_multi_remove_handle(multi_.get(), handle);
    if (incoming.is_too_large) {
        return fail(ErrorCode::too_large, "the answer is larger than " +
                                              std::to_string(request.largest_answer) + " bytes");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return Answer{status, std::move(incoming.bytes), incoming.max_age};
}

} // namespace

Result<Answer> TransportPool::with_one(const std::function<Result<Answer>(Transport&)>& use) {
    Transport* transport = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_) {
            return fail(ErrorCode::unavailable, "stopped");
        }
        if (free_.empty()) {
            free_.push_back(all_.emplace_back(make_()).get());
        }
        transport = free_.back();
        free_.pop_back();
    }
    auto answer = use(*transport);
    const std::lock_guard lock(mutex_);
    free_.push_back(transport);
    return answer;
}

void TransportPool::stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    for (const auto& transport : all_) {
        transport->stop();
    }
}

std::unique_ptr<Transport> make_curl_transport(const std::string& ca_file) {
    return std::make_unique<CurlTransport>(ca_file);
}

} // namespace claviger::offline
