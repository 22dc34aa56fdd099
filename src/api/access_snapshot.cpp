// SPDX-License-Identifier: Apache-2.0
// All that decides in the tenant, signed, for verifiers that decide by themselves.
#include "api/access_rule_fields.h"
#include "api/resources.h"
#include "auth/access_statement.h"

namespace claviger {
namespace {

struct AccessSnapshotView {
    std::int64_t number = 0;
    std::vector<std::string> parts;
};
BOOST_DESCRIBE_STRUCT(AccessSnapshotView, (), (number, parts))

class SignedParts final : public BodyStream {
public:
    explicit SignedParts(const Context& context)
        : clock_(context.services.clock),
          statement_(context.caller.state, context.services.settings) {}

    Result<bool> next(std::string& chunk) override {
        if (statement_.is_complete()) {
            return false;
        }
        chunk = is_begun_ ? ",\"" // base64url and dots follow
                          : "{\"number\":" + std::to_string(statement_.number()) + ",\"parts\":[\"";
        is_begun_ = true;
        const std::string part = TRY(statement_.next_part(clock_.now()));
        chunk += part;
        chunk += statement_.is_complete() ? "\"]}" : "\"";
        return true;
    }

private:
    const Clock& clock_;
    AccessStatement statement_;
    bool is_begun_ = false;
};

Result<Streamed<AccessSnapshotView>> read_access_snapshot(Context& context, const NoFields&) {
    TRY(authorise(context, may_access_rules(Action::read, EvaluatedAt::tenant), std::nullopt));
    context.headers.emplace_back("Cache-Control", "no-store");
    return Streamed<AccessSnapshotView>{std::make_unique<SignedParts>(context)};
}

} // namespace

Routes access_snapshot_routes() {
    return {route<read_access_snapshot>(
        {.method = HttpMethod::get,
         .path = "/api/v1/authorization/snapshot",
         .id = "getAccessSnapshot",
         .tag = "decisions",
         .summary = "Tree, roles, users, limits of keys and access rules, signed, for verifiers",
         .access = verifier_access})};
}

} // namespace claviger
