// SPDX-License-Identifier: Apache-2.0
// Reports of leaked client secrets, by scanners and by whoever finds one.
#include "auth/leaked_secrets.h"

#include <algorithm>

#include "api/resources.h"

namespace claviger {
namespace {

struct LeakedSecretReportRequest {
    std::string client_secret;
    std::optional<std::string> client_id, found_at;
};
BOOST_DESCRIBE_STRUCT(LeakedSecretReportRequest, (), (client_secret, client_id, found_at))

struct LeakedSecretReportResponse {
    std::string outcome; // unknown, retired, revoked, frozen, recorded
};
BOOST_DESCRIBE_STRUCT(LeakedSecretReportResponse, (), (outcome))

Result<LeakedSecretReportResponse> report_leaked_secret(Context& context,
                                                        const LeakedSecretReportRequest& request) {
    const std::string found_at = request.found_at.value_or("");
    const bool is_printable =
        std::ranges::all_of(found_at, [](char c) { return c >= ' ' && c <= '~'; });
    if (!is_printable || found_at.size() > longest_found_at) {
        return fail(ErrorCode::invalid_request, "foundAt must be printable ASCII text of at most " +
                                                    std::to_string(longest_found_at) +
                                                    " characters");
    }
    const LeakOutcome outcome = TRY(context.services.leaked_secrets.report(
        context.state(), {request.client_secret, request.client_id, found_at},
        context.caller.origin, context.retry_after_seconds));
    if (outcome != LeakOutcome::unknown) {
        context.services.log.write(LogLevel::warning, "a leaked client secret was reported",
                                   {{"request_id", std::string_view(context.request.request_id)},
                                    {"source_ip", std::string_view(context.request.source_ip)},
                                    {"outcome", name_of(outcome)}});
    }
    return LeakedSecretReportResponse{std::string(name_of(outcome))};
}

} // namespace

Routes leaked_secret_routes() {
    return {
        route<report_leaked_secret>({.method = HttpMethod::post,
                                     .path = "/api/v1/leaked-secrets",
                                     .id = "reportLeakedSecret",
                                     .tag = "key secrets",
                                     .summary = "Report a client secret that was found where it "
                                                "should not be; it ends by the server's policy",
                                     .access = Access::anyone()}),
    };
}

} // namespace claviger
