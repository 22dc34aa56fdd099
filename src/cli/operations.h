// SPDX-License-Identifier: Apache-2.0
// What an operator asks of a data directory, in the same form over the control socket of a running
// server and on a stopped directory: a command with named arguments, and an answer in lines of
// text. Restoring is not here: it needs the server stopped and replaces what these work on.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/rekey.h"
#include "auth/signing_keys.h"
#include "auth/tenants.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/access_event_log.h"
#include "store/store.h"

namespace claviger {

namespace operator_command {
inline constexpr std::string_view tenant_add = "tenant add";
inline constexpr std::string_view tenant_list = "tenant list";
inline constexpr std::string_view tenant_enable = "tenant enable";
inline constexpr std::string_view tenant_disable = "tenant disable";
inline constexpr std::string_view backup = "backup";
inline constexpr std::string_view audit_verify = "audit verify";
inline constexpr std::string_view import_tenant = "import";
inline constexpr std::string_view export_tenant = "export";
inline constexpr std::string_view keys_list = "keys list";
inline constexpr std::string_view keys_rotate = "keys rotate";
inline constexpr std::string_view keys_burn = "keys burn";
inline constexpr std::string_view rekey = "rekey";
} // namespace operator_command

/// Its arguments may hold a password or a key: they are wiped when it dies.
struct OperatorRequest {
    std::string command;
    std::map<std::string, std::string, std::less<>> arguments = {};

    OperatorRequest() = default;
    explicit OperatorRequest(std::string_view name) : command(name) {}
    OperatorRequest(OperatorRequest&&) = default;
    OperatorRequest& operator=(OperatorRequest&&) = default;
    OperatorRequest(const OperatorRequest&) = delete;
    OperatorRequest& operator=(const OperatorRequest&) = delete;
    ~OperatorRequest();
};

struct OperatorAnswer {
    bool ok = false;
    std::vector<std::string> lines; // not ok: the first says what is wrong
};

class Operations {
public:
    /// `directory` is the data directory that the store and the log lie in, for backups.
    Operations(Tenants& tenants, SigningKeys& signing_keys, Rekey& rekey,
               const Directory& tenants_in_memory, Store& store, AccessEventLog& access_events,
               std::filesystem::path directory, const Clock& clock, Random& random);

    /// Safe from any thread. Never throws for bad requests. A second backup or verification is
    /// refused while one runs.
    OperatorAnswer run(const OperatorRequest& request);

private:
    Result<OperatorAnswer> dispatch(const OperatorRequest& request);
    Result<OperatorAnswer> dispatch_keys(const OperatorRequest& request);
    Result<OperatorAnswer> add_tenant(const OperatorRequest& request);
    Result<OperatorAnswer> list_tenants() const;
    Result<OperatorAnswer> set_tenant_enabled(const OperatorRequest& request, bool enabled);
    Result<OperatorAnswer> write_backup(const OperatorRequest& request);
    Result<OperatorAnswer> verify_audits();
    Result<OperatorAnswer> export_tenant(const OperatorRequest& request) const;
    Result<OperatorAnswer> import_tenant(const OperatorRequest& request);
    Result<OperatorAnswer> list_keys(const OperatorRequest& request);
    Result<OperatorAnswer> rotate_keys(const OperatorRequest& request);
    Result<OperatorAnswer> burn_key(const OperatorRequest& request);
    Result<OperatorAnswer> replace_master_key(const OperatorRequest& request);
    Result<OperatorAnswer> check_master_key();
    Result<TenantStatePointer> find_tenant(const OperatorRequest& request) const;

    Tenants& tenants_;
    SigningKeys& signing_keys_;
    Rekey& rekey_;
    const Directory& tenants_in_memory_;
    Store& store_;
    AccessEventLog& access_events_;
    std::filesystem::path directory_;
    const Clock& clock_;
    Random& random_;
    std::mutex backup_;
    std::mutex verification_;
};

} // namespace claviger
