// SPDX-License-Identifier: Apache-2.0
// Everything below the HTTP server, opened in order: data directory, keys, store, memory, services.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/dispatch.h"
#include "auth/audit_retention.h"
#include "auth/expiring_keys.h"
#include "auth/rekey.h"
#include "auth/signing_keys.h"
#include "auth/tenants.h"
#include "cli/master_key_source.h"
#include "server/metrics.h"
#include "server/usage_writer.h"
#include "store/access_event_log.h"
#include "store/data_directory.h"

namespace claviger {

/// Opens the access event log in the data directory. Benchmarks measure without one.
using OpenAccessEventLog =
    std::function<Result<std::unique_ptr<AccessEventLog>>(const std::filesystem::path& directory)>;
Result<std::unique_ptr<AccessEventLog>>
open_sqlite_access_event_log(const std::filesystem::path& directory);

class Application {
public:
    /// Opens or makes the data directory and reads it into memory.
    static Result<std::unique_ptr<Application>>
    open(const Options& options, Log& log,
         const OpenAccessEventLog& open_access_events = open_sqlite_access_event_log);

    /// The first start: a tenant with its administrator. Nothing when there is a tenant already.
    Result<std::optional<AddedTenant>> add_first_tenant(const Options& options);
    /// Demo data for a new tenant; gives the demo service account.
    Result<NewServiceAccount> add_demo_data(const AddedTenant& tenant);

    /// Where the server is reached; must be set before requests come in.
    void set_public_url(std::string url) { settings_.public_url = std::move(url); }
    const std::string& public_url() const { return settings_.public_url; }

    Dispatcher& dispatcher() { return *dispatcher_; }
    AccessEventLog& access_events() { return *access_events_; }
    Store& store() { return *store_; }
    Tenants& tenants() { return *tenants_; }
    SigningKeys& signing_keys() { return *signing_keys_; }
    Rekey& rekey() { return *rekey_; }
    Directory& directory() { return *memory_; }
    const std::filesystem::path& directory_path() const { return directory_.path(); }
    Clock& clock() { return clock_; }
    Random& random() { return random_; }

    std::vector<Metric> metrics() const;
    /// What keeps it from serving, without details: those are in the log. Empty: nothing.
    std::string problem();
    /// What is done now and then: last logins and uses are written, drained secrets retired,
    /// signing keys take their due steps, old audit events and revocations are removed, the store
    /// is tried, idle memory is given back.
    void maintain();

private:
    Application(DataDirectory directory, TokenSettings settings, Log& log);
    Result<void> open_keys(const Options& options);
    Result<void> finish_rekey();
    void warn_of_unknown_realms() const;
    Result<void> open_databases(const OpenAccessEventLog& open_access_events);
    void add_revocations(std::vector<Metric>& metrics) const;
    std::vector<Metric> key_metrics() const;
    std::vector<Metric> usage_metrics() const;
    std::vector<Metric> decision_metrics() const;
    void try_store();
    std::vector<TenantId> tenant_ids() const;
    void remove_old_audit_events();
    void forget_revocations();
    void remove_old_usage();
    void take_key_steps();
    void flush_uses();
    void retire_drained_secrets();

    // In the order in which they need one another.
    DataDirectory directory_;
    TokenSettings settings_;
    std::shared_ptr<const RouteMap> route_map_; // the options have it too; null: none
    std::vector<Secret> gateway_secrets_;
    Log& log_;
    SystemClock clock_;
    SystemRandom random_;
    std::optional<FoundMasterKey> master_key_;
    std::unique_ptr<Store> store_;
    std::optional<FoundRootKey> root_key_;
    std::optional<KeyVault> vault_;
    std::optional<Pepper> pepper_;
    std::optional<Passwords> passwords_;
    std::optional<RefreshTokens> refresh_tokens_;
    std::unique_ptr<AccessEventLog> access_events_;
    std::optional<Directory> memory_;
    LastLogins last_logins_;
    SecretUses secret_uses_;
    std::optional<Usage> usage_;
    std::optional<UsageWriter> usage_writer_; // stops before what it writes to
    std::optional<Tenants> tenants_;
    std::optional<SigningKeys> signing_keys_;
    std::optional<Grants> grants_;
    std::optional<TokenVerifier> verifier_;
    std::optional<ServiceAccounts> service_accounts_;
    std::optional<AccessKeys> access_keys_;
    std::optional<KeySecrets> key_secrets_;
    std::optional<LeakedSecrets> leaked_secrets_;
    std::optional<Users> users_;
    std::optional<AccessRules> access_rules_;
    std::optional<OrgUnits> org_units_;
    std::optional<Roles> roles_;
    std::optional<IdentityProviders> identity_providers_;
    std::optional<Rekey> rekey_;
    std::optional<SecuritySettings> security_settings_;
    std::optional<Revocations> revocations_;
    std::optional<ExpiryWatch> expiry_watch_;
    Diagnoses diagnoses_;
    std::optional<AuditRetention> audit_retention_;
    std::optional<Dispatcher> dispatcher_;
    std::atomic<bool> can_write_{true};
};

} // namespace claviger
