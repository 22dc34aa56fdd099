// SPDX-License-Identifier: Apache-2.0
#include "cli/operations.h"

#include <algorithm>

#include "auth/audit.h"
#include "cli/operator_text.h"
#include "jose/crypto.h"
#include "store/backup.h"

namespace claviger {
namespace {

std::string describe(std::string_view chain, const ChainReport& report) {
    std::string line = "  " + std::string(chain) + ": " + std::to_string(report.entries) +
                       (report.entries == 1 ? " entry" : " entries");
    if (report.removed > 0) {
        line += " after " + std::to_string(report.removed) + " that were removed";
    }
    if (report.broken_at) {
        return line + ", BROKEN at entry " + std::to_string(*report.broken_at);
    }
    return line + ", intact";
}

} // namespace

OperatorRequest::~OperatorRequest() {
    for (auto& [name, value] : arguments) {
        wipe(value);
    }
}

Operations::Operations(Tenants& tenants, SigningKeys& signing_keys, Rekey& rekey,
                       const Directory& tenants_in_memory, Store& store,
                       AccessEventLog& access_events, std::filesystem::path directory,
                       const Clock& clock, Random& random)
    : tenants_(tenants), signing_keys_(signing_keys), rekey_(rekey),
      tenants_in_memory_(tenants_in_memory), store_(store), access_events_(access_events),
      directory_(std::move(directory)), clock_(clock), random_(random) {}

OperatorAnswer Operations::run(const OperatorRequest& request) {
    auto answer = dispatch(request);
    if (!answer) {
        return {false, {answer.error().detail()}};
    }
    return std::move(*answer);
}

Result<OperatorAnswer> Operations::dispatch(const OperatorRequest& request) {
    if (request.command == operator_command::tenant_add) {
        return add_tenant(request);
    }
    if (request.command == operator_command::tenant_list) {
        return list_tenants();
    }
    if (request.command == operator_command::tenant_enable) {
        return set_tenant_enabled(request, true);
    }
    if (request.command == operator_command::tenant_disable) {
        return set_tenant_enabled(request, false);
    }
    if (request.command == operator_command::backup) {
        return write_backup(request);
    }
    if (request.command == operator_command::audit_verify) {
        return verify_audits();
    }
    if (request.command == operator_command::export_tenant) {
        return export_tenant(request);
    }
    if (request.command == operator_command::import_tenant) {
        return import_tenant(request);
    }
    return dispatch_keys(request);
}

Result<OperatorAnswer> Operations::dispatch_keys(const OperatorRequest& request) {
    if (request.command == operator_command::keys_list) {
        return list_keys(request);
    }
    if (request.command == operator_command::keys_rotate) {
        return rotate_keys(request);
    }
    if (request.command == operator_command::keys_burn) {
        return burn_key(request);
    }
    if (request.command == operator_command::rekey) {
        return request.arguments.contains("check") ? check_master_key()
                                                   : replace_master_key(request);
    }
    return fail(ErrorCode::invalid_request,
                "the server does not know this command; use the same version of claviger as the "
                "server");
}

Result<OperatorAnswer> Operations::add_tenant(const OperatorRequest& request) {
    NewTenant draft;
    draft.name = TRY(argument(request, "name"));
    draft.realm = TRY(argument(request, "realm"));
    draft.host = TRY(argument(request, "host"));
    draft.admin_email = TRY(argument(request, "admin-email"));
    if (const auto at = request.arguments.find("admin-password"); at != request.arguments.end()) {
        draft.admin_password = Secret(std::string_view(at->second));
    }
    const AddedTenant added = TRY(tenants_.add(draft));
    std::vector<Lines> rows = {{"tenant", added.tenant.name},
                               {"id", std::to_string(number_of(added.tenant.id))},
                               {"realm", added.tenant.realm},
                               {"host", added.tenant.host.empty() ? "any" : added.tenant.host},
                               {"administrator", added.admin_email}};
    if (added.generated_password) {
        rows.push_back({"password", std::string(added.generated_password->reveal())});
    }
    Lines lines = aligned(rows);
    if (added.generated_password) {
        lines.emplace_back("The password is not shown again.");
    }
    return OperatorAnswer{true, std::move(lines)};
}

Result<OperatorAnswer> Operations::list_tenants() const {
    std::vector<Lines> rows = {{"ID", "REALM", "HOST", "STATE", "NAME"}};
    for (const Tenant& tenant : tenants_.list()) {
        rows.push_back({std::to_string(number_of(tenant.id)), tenant.realm,
                        tenant.host.empty() ? "-" : tenant.host,
                        tenant.enabled ? "enabled" : "disabled", tenant.name});
    }
    return OperatorAnswer{true, aligned(rows)};
}

Result<OperatorAnswer> Operations::set_tenant_enabled(const OperatorRequest& request,
                                                      bool enabled) {
    const std::string realm = TRY(argument(request, "realm"));
    const Tenant tenant = TRY(tenants_.set_enabled(realm, enabled));
    return OperatorAnswer{true,
                          {"tenant " + tenant.realm + (enabled ? " is enabled" : " is disabled")}};
}

Result<OperatorAnswer> Operations::write_backup(const OperatorRequest& request) {
    const std::unique_lock only_one(backup_, std::try_to_lock);
    if (!only_one) {
        return fail(ErrorCode::conflict, "a backup is being written; try again when it is done");
    }
    const std::string target = TRY(argument(request, "file"));
    const BackupSummary summary =
        TRY(back_up(directory_, target, clock_.now(), [](auto bytes) { return sha256(bytes); }));
    return OperatorAnswer{
        true,
        {"backup written to " + target + ", " + std::to_string(summary.bytes) + " bytes",
         "The master key is not in it: keep a copy of the key elsewhere."}};
}

Result<OperatorAnswer> Operations::verify_audits() {
    const std::unique_lock only_one(verification_, std::try_to_lock);
    if (!only_one) {
        return fail(ErrorCode::conflict, "the audit is being verified; try again when it is done");
    }
    Lines lines;
    bool all_intact = true;
    for (const Tenant& tenant : tenants_.list()) {
        const AuditReport report = TRY(verify_audit(store_, access_events_, tenant.id));
        lines.push_back("tenant " + tenant.realm);
        lines.push_back(describe("change events", report.changes));
        lines.push_back(describe("access events", report.accesses));
        all_intact = all_intact && report.intact();
    }
    if (!all_intact) {
        lines.insert(lines.begin(), "the audit log was altered");
    }
    return OperatorAnswer{all_intact, std::move(lines)};
}

} // namespace claviger
