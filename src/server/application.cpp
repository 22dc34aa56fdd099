// SPDX-License-Identifier: Apache-2.0
#include "server/application.h"

#include <algorithm>
#include <malloc.h>

#include "api/resources.h"
#include "auth/audit.h"
#include "auth/names.h"
#include "base/huge_pages.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

constexpr const char* first_realm = "runai";
constexpr std::int32_t viewer = 7;
constexpr std::int64_t retention_milliseconds = 1'000; // of each round of maintenance

} // namespace

Application::Application(DataDirectory directory, TokenSettings settings, Log& log)
    : directory_(std::move(directory)), settings_(std::move(settings)), log_(log) {}

Result<std::unique_ptr<AccessEventLog>>
open_sqlite_access_event_log(const std::filesystem::path& directory) {
    return SqliteAccessEventLog::open(directory, chain_hash);
}

Result<std::unique_ptr<Application>>
Application::open(const Options& options, Log& log, const OpenAccessEventLog& open_access_events) {
    DataDirectory directory = TRY(DataDirectory::open(options.data));
    for (const auto& path : directory.closed_to_others()) {
        log.write(LogLevel::warning, "others could use this until now; it is closed to them",
                  {{"path", std::string_view(path.native())}});
    }
    const std::string url =
        options.public_url.empty() ? "http://" + options.listen.text() : options.public_url;
    std::unique_ptr<Application> application(
        new Application(std::move(directory), token_settings(options, url), log));
    application->route_map_ = options.route_map;
    for (const auto* secret : {&options.gateway_secret, &options.previous_gateway_secret}) {
        if (*secret) {
            application->gateway_secrets_.emplace_back((*secret)->reveal());
        }
    }
    TRY(application->open_keys(options));
    TRY(application->open_databases(open_access_events));
    application->audit_retention_.emplace(*application->store_, *application->access_events_,
                                          application->clock_, options.audit_retention_days);
    return application;
}

Result<void> Application::open_keys(const Options& options) {
    // Beside a database that is sealed under a missing key, another one would be of no use.
    const bool is_first_start = !std::filesystem::exists(directory_.path() / store_file_name);
    FoundMasterKey found = TRY(find_master_key(options, is_first_start, random_));
    master_key_.emplace(std::move(found));
    if (master_key_->was_in_environment) {
        log_.write(LogLevel::warning, "the master key was in the environment, where other "
                                      "processes can read it; a credential or a file is better");
    }
    store_ = TRY(SqliteStore::open(directory_.path()));
    usage_.emplace(*store_, clock_, UsageOptions{.retention_days = options.usage_retention_days});
    TRY(usage_->begin());
    FoundRootKey root_key = TRY(find_root_key(*store_, master_key_->key, random_, clock_.now()));
    root_key_.emplace(std::move(root_key));
    vault_.emplace(root_key_->key, random_);
    pepper_.emplace(root_key_->key);
    refresh_tokens_.emplace(root_key_->key);
    passwords_.emplace(*pepper_, Argon2Parameters{}, random_, clock_);
    return {};
}

Result<void> Application::finish_rekey() {
    const std::string note = TRY(rekey_->finish_interrupted());
    if (!note.empty()) {
        log_.write(LogLevel::warning, note);
    }
    return {};
}

Result<void> Application::open_databases(const OpenAccessEventLog& open_access_events) {
    access_events_ = TRY(open_access_events(directory_.path()));
    memory_.emplace(*vault_, host_of_url(settings_.public_url), log_);
    TRY(memory_->attach(*store_));
    TRY(keep_root_key(*store_, *root_key_)); // it has opened every signing key
    ::malloc_trim(0);                        // sorting a million rows leaves holes
    move_heap_to_huge_pages();
    tenants_.emplace(*store_, *memory_, *vault_, *passwords_, settings_, clock_, random_);
    signing_keys_.emplace(*store_, *memory_, *vault_, last_logins_, settings_, clock_);
    take_key_steps();
    grants_.emplace(settings_, *pepper_, *passwords_, *refresh_tokens_, *store_, *access_events_,
                    last_logins_, secret_uses_, clock_, random_);
    verifier_.emplace(settings_, clock_);
    service_accounts_.emplace(*store_, *pepper_, clock_, random_);
    access_keys_.emplace(*store_, *pepper_, clock_, random_);
    key_secrets_.emplace(*store_, *memory_, *pepper_, secret_uses_, clock_, random_);
    leaked_secrets_.emplace(settings_, *pepper_, *key_secrets_, clock_);
    users_.emplace(*store_, *passwords_, clock_, random_);
    access_rules_.emplace(*store_, clock_);
    org_units_.emplace(*store_, *memory_, clock_, random_);
    roles_.emplace(*store_, clock_);
    identity_providers_.emplace(*store_, root_key_->key, clock_, random_);
    rekey_.emplace(*store_, root_key_->key, master_key_->key, master_key_->origin, *vault_,
                   *identity_providers_, clock_, random_);
    TRY(finish_rekey());
    security_settings_.emplace(*store_, clock_);
    revocations_.emplace(*store_, *refresh_tokens_, clock_);
    TRY(revocations_->remove_expired());
    expiry_watch_.emplace(*memory_, settings_.key_expiry_warning_seconds, log_);
    Routes routes = all_routes();
    TRY(Dispatcher::check(routes));
    dispatcher_.emplace(std::move(routes), Services{*store_,
                                                    *access_events_,
                                                    *memory_,
                                                    *grants_,
                                                    *verifier_,
                                                    *service_accounts_,
                                                    *access_keys_,
                                                    *key_secrets_,
                                                    *leaked_secrets_,
                                                    *users_,
                                                    *access_rules_,
                                                    *org_units_,
                                                    *roles_,
                                                    *identity_providers_,
                                                    *security_settings_,
                                                    *revocations_,
                                                    last_logins_,
                                                    *usage_,
                                                    settings_,
                                                    clock_,
                                                    random_,
                                                    log_,
                                                    diagnoses_,
                                                    route_map_.get(),
                                                    gateway_secrets_});
    usage_writer_.emplace(*usage_, log_);
    warn_of_unknown_realms();
    return {};
}

/// A tenant may come later; until then its APIs are closed. The first start has none yet.
void Application::warn_of_unknown_realms() const {
    const auto tenants = memory_->current();
    if (!route_map_ || tenants->tenants.empty()) {
        return;
    }
    for (const ProtectedApi& api : route_map_->apis()) {
        const bool is_known =
            api.realm.empty() || std::ranges::any_of(tenants->tenants, [&](const auto& state) {
                return state->tenant.realm == api.realm;
            });
        if (!is_known) {
            log_.write(
                LogLevel::warning,
                "there is no such tenant: all requests to its API in the route map are refused",
                {{"api", std::string_view(api.name)}, {"tenant", std::string_view(api.realm)}});
        }
    }
}

Result<std::optional<AddedTenant>> Application::add_first_tenant(const Options& options) {
    if (!tenants_->list().empty()) {
        return std::optional<AddedTenant>();
    }
    NewTenant draft;
    draft.name = first_realm;
    draft.realm = first_realm;
    draft.admin_email = options.admin_email;
    if (options.admin_password) {
        draft.admin_password.emplace(options.admin_password->reveal());
    }
    auto added = TRY(tenants_->add(draft));
    return std::optional<AddedTenant>(std::move(added));
}

Result<NewServiceAccount> Application::add_demo_data(const AddedTenant& tenant) {
    const TenantId id = tenant.tenant.id;
    Caller caller;
    caller.state = memory_->current()->find(id);
    const User* administrator = caller.state->users.find_by_email(tenant.admin_email);
    if (administrator == nullptr) {
        return fail(ErrorCode::internal, "the administrator is missing");
    }
    caller.principal = {PrincipalKind::user, administrator->id.value, administrator->email};

    const OrgUnit cluster = TRY(org_units_->create(
        caller, {ScopeType::cluster, tenant_scope(id), "demo-cluster", "", "{}"}));
    const OrgUnit department =
        TRY(org_units_->create(caller, {ScopeType::department, cluster.id, "research", "", "{}"}));
    for (const char* name : {"translation", "vision"}) {
        TRY(org_units_->create(caller, {ScopeType::project, department.id, name, "", "{}"}));
    }
    NewServiceAccount account = TRY(service_accounts_->create(caller, "demo-reader"));
    caller.state = memory_->current()->find(id);
    const AccessRuleDraft rule{{SubjectType::service_account, account.account.id.value.text()},
                               {id, viewer},
                               department.id};
    TRY(access_rules_->create(caller, rule));
    return account;
}

std::string Application::problem() {
    std::string text = can_write_ ? "" : "the store cannot be written";
    if (!access_events_->can_record()) {
        text += text.empty() ? "" : "; ";
        text += "access events cannot be recorded";
    }
    return text;
}

void Application::try_store() {
    const auto written = store_->try_write();
    if (can_write_.exchange(written.has_value()) == written.has_value()) {
        return;
    }
    if (written) {
        log_.write(LogLevel::info, "the store can be written again");
    } else {
        log_.write(LogLevel::error, "the store cannot be written",
                   {{"reason", std::string_view(written.error().detail())}});
    }
}

std::vector<TenantId> Application::tenant_ids() const {
    std::vector<TenantId> tenants;
    for (const TenantStatePointer& state : memory_->current()->tenants) {
        tenants.push_back(state->tenant.id);
    }
    return tenants;
}

void Application::remove_old_audit_events() {
    const auto removed = audit_retention_->run(tenant_ids(), retention_milliseconds);
    if (!removed) {
        log_.write(LogLevel::error, "old audit events could not be removed",
                   {{"reason", std::string_view(removed.error().detail())}});
    }
}

void Application::remove_old_usage() {
    const auto removed = usage_->remove_old(tenant_ids(), retention_milliseconds);
    if (!removed) {
        log_.write(LogLevel::error, "old rows of usage could not be removed",
                   {{"reason", std::string_view(removed.error().detail())}});
    }
}

void Application::forget_revocations() {
    const auto removed = revocations_->remove_expired();
    if (!removed) {
        log_.write(LogLevel::error, "revocations that have expired could not be removed",
                   {{"reason", std::string_view(removed.error().detail())}});
    }
}

void Application::take_key_steps() {
    if (const auto done = signing_keys_->run(); !done) {
        log_.write(LogLevel::error, "signing keys could not take their due steps",
                   {{"reason", std::string_view(done.error().detail())}});
    }
}

void Application::flush_uses() {
    for (const auto& flushed : {last_logins_.flush(*store_), secret_uses_.flush(*store_)}) {
        if (!flushed) {
            log_.write(LogLevel::error, flushed.error().detail());
        }
    }
}

void Application::retire_drained_secrets() {
    const auto retired = key_secrets_->retire_drained();
    if (!retired) {
        log_.write(LogLevel::error, "secrets that have drained could not be retired",
                   {{"reason", std::string_view(retired.error().detail())}});
    } else if (*retired != 0) {
        log_.write(LogLevel::info, "secrets that have drained were retired",
                   {{"count", static_cast<std::int64_t>(*retired)}});
    }
}

void Application::maintain() {
    flush_uses();
    retire_drained_secrets();
    take_key_steps();
    remove_old_audit_events();
    remove_old_usage();
    forget_revocations();
    expiry_watch_->run(clock_.now());
    try_store();
    passwords_->release_idle_memory();
}

} // namespace claviger
