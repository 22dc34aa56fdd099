// SPDX-License-Identifier: Apache-2.0
// A data directory opened as the server opens it, without sockets and without an audit record.
#include <cstdio>
#include <fstream>
#include <functional>

#include "bench/bench.h"
#include "store/memory_audit.h"

namespace claviger::bench {
namespace {

class NoAccessEvents final : public AccessEventLog {
public:
    Result<AuditTicket> append(TenantId, Timestamp, std::string) override { return AuditTicket{0}; }
    bool can_record() override { return true; }
    Durability durability(AuditTicket) const override { return Durability::durable; }
    Durability wait(AuditTicket) override { return Durability::durable; }
    void add_batch_listener(std::function<void()>) override {}
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override { return read_chains({}); }
    Result<std::uint64_t> remove_oldest(TenantId, Timestamp) override { return 0; }
    std::uint64_t queue_depth() const override { return 0; }
    std::uint64_t durable_count() const override { return 0; }
};

} // namespace

Options bench_options(const std::filesystem::path& directory, std::string_view algorithm) {
    // With a fixed URL the tokens of one process are good in another.
    return resolve_options({{"data", directory.string()},
                            {"listen", "127.0.0.1:0"},
                            {"token-algorithm", std::string(algorithm)},
                            {"public-url", std::string(public_url)}})
        .options;
}

Result<std::unique_ptr<Application>> open_without_audit(const std::filesystem::path& directory,
                                                        Log& log, std::string_view algorithm) {
    return Application::open(bench_options(directory, algorithm), log,
                             [](const auto&) -> Result<std::unique_ptr<AccessEventLog>> {
                                 return std::make_unique<NoAccessEvents>();
                             });
}

std::vector<Credentials> read_credentials(const std::filesystem::path& directory) {
    std::ifstream file(directory / credentials_file_name);
    std::vector<Credentials> all;
    for (Credentials next; file >> next.client_id >> next.client_secret;) {
        all.push_back(next);
    }
    return all;
}

HttpRequest token_request(const Credentials& credentials) {
    HttpRequest request;
    request.method = HttpMethod::post;
    request.path = "/api/v1/token";
    request.host = "127.0.0.1";
    request.content_type = "application/json";
    request.body = R"({"grantType":"client_credentials","clientId":")" + credentials.client_id +
                   R"(","clientSecret":")" + credentials.client_secret + R"("})";
    request.source_ip = "127.0.0.1";
    request.request_id = "11111111-2222-4333-8444-555555555555";
    return request;
}

Result<void> print_tokens(const std::filesystem::path& directory, std::int64_t count) {
    NullLog log;
    const auto application = TRY(open_without_audit(directory, log));
    std::vector<HttpRequest> requests;
    for (const Credentials& credentials : read_credentials(directory)) {
        requests.push_back(token_request(credentials));
    }
    if (requests.empty()) {
        return fail(ErrorCode::invalid_request, "the directory was not made by `fill`");
    }
    for (std::int64_t i = 0; i < count; ++i) {
        const auto& request = requests[static_cast<std::size_t>(i) % requests.size()];
        const std::string body = application->dispatcher().serve(request).body;
        constexpr std::string_view before = R"("accessToken":")";
        const std::size_t begin = body.find(before) + before.size();
        const std::size_t end = body.find('"', begin);
        std::printf("%s\n", body.substr(begin, end - begin).c_str());
    }
    return {};
}

} // namespace claviger::bench
