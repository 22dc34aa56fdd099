// SPDX-License-Identifier: Apache-2.0
#include "cli/stopped_directory.h"

#include "auth/audit.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

Result<DataDirectory> lock_existing_directory(const Options& options) {
    std::error_code ignored;
    if (!std::filesystem::exists(options.data / store_file_name, ignored)) {
        return fail(ErrorCode::not_found,
                    "there is no data directory: " + options.data.string() +
                        "; name the one of the server with --data, or start the server once");
    }
    auto directory = DataDirectory::open(options.data);
    if (!directory && directory.error().code() == ErrorCode::conflict) {
        return fail(ErrorCode::conflict,
                    directory.error().detail() +
                        ", which does not answer; wait until it has started or ended");
    }
    return directory;
}

} // namespace

Result<std::unique_ptr<StoppedDirectory>> StoppedDirectory::open(const Options& options) {
    DataDirectory directory = TRY(lock_existing_directory(options));
    std::unique_ptr<StoppedDirectory> opened(new StoppedDirectory(std::move(directory)));
    TRY(opened->open_keys(options));
    TRY(opened->open_databases(options));
    return opened;
}

StoppedDirectory::StoppedDirectory(DataDirectory directory) : directory_(std::move(directory)) {}

StoppedDirectory::~StoppedDirectory() = default;

Result<void> StoppedDirectory::open_keys(const Options& options) {
    FoundMasterKey found = TRY(find_master_key(options, false, random_));
    master_key_.emplace(std::move(found));
    store_ = TRY(SqliteStore::open(directory_.path()));
    FoundRootKey root_key = TRY(find_root_key(*store_, master_key_->key, random_, clock_.now()));
    root_key_.emplace(std::move(root_key));
    vault_.emplace(root_key_->key, random_);
    pepper_.emplace(root_key_->key);
    passwords_.emplace(*pepper_, Argon2Parameters{}, random_, clock_);
    return {};
}

Result<void> StoppedDirectory::open_databases(const Options& options) {
    settings_ =
        token_settings(options, options.public_url.empty() ? "http://" + options.listen.text()
                                                           : options.public_url);
    access_events_ = TRY(SqliteAccessEventLog::open(directory_.path(), chain_hash));
    tenants_in_memory_.emplace(*vault_, host_of_url(settings_.public_url), log_);
    TRY(tenants_in_memory_->attach(*store_));
    TRY(keep_root_key(*store_, *root_key_));
    tenants_.emplace(*store_, *tenants_in_memory_, *vault_, *passwords_, settings_, clock_,
                     random_);
    signing_keys_.emplace(*store_, *tenants_in_memory_, *vault_, last_logins_, settings_, clock_);
    identity_providers_.emplace(*store_, root_key_->key, clock_, random_);
    rekey_.emplace(*store_, root_key_->key, master_key_->key, master_key_->origin, *vault_,
                   *identity_providers_, clock_, random_);
    operations_.emplace(*tenants_, *signing_keys_, *rekey_, *tenants_in_memory_, *store_,
                        *access_events_, directory_.path(), clock_, random_);
    return {};
}

} // namespace claviger
