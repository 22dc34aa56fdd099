// SPDX-License-Identifier: Apache-2.0
// A data directory whose server does not run, opened with its lock for operator commands.
#pragma once

#include <memory>

#include "auth/password.h"
#include "cli/master_key_source.h"
#include "cli/operations.h"
#include "cli/options.h"
#include "store/data_directory.h"

namespace claviger {

class StoppedDirectory {
public:
    /// Never makes a directory, a database or a master key: `not_found` when there is none at
    /// `options.data`, `conflict` when another process holds the lock.
    static Result<std::unique_ptr<StoppedDirectory>> open(const Options& options);

    ~StoppedDirectory();

    Operations& operations() { return *operations_; }

private:
    explicit StoppedDirectory(DataDirectory directory);
    Result<void> open_keys(const Options& options);
    Result<void> open_databases(const Options& options);

    // In the order in which they need one another.
    DataDirectory directory_;
    SystemClock clock_;
    SystemRandom random_;
    NullLog log_;
    TokenSettings settings_;
    std::optional<FoundMasterKey> master_key_;
    std::unique_ptr<Store> store_;
    std::optional<FoundRootKey> root_key_;
    std::optional<KeyVault> vault_;
    std::optional<Pepper> pepper_;
    std::optional<Passwords> passwords_;
    std::unique_ptr<AccessEventLog> access_events_;
    std::optional<Directory> tenants_in_memory_;
    std::optional<Tenants> tenants_;
    LastLogins last_logins_; // none of this process: those of the rows count
    std::optional<SigningKeys> signing_keys_;
    std::optional<IdentityProviders> identity_providers_;
    std::optional<Rekey> rekey_;
    std::optional<Operations> operations_;
};

} // namespace claviger
