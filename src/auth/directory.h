// SPDX-License-Identifier: Apache-2.0
// What the server knows of all tenants, in memory, as one immutable value that is replaced after
// each commit. Readers take the current one and keep it for the length of a request; nobody locks.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/snapshot.h"
#include "auth/account_table.h"
#include "auth/key_ring.h"
#include "auth/revocation_table.h"
#include "auth/user_owned_table.h"
#include "base/error.h"
#include "base/log.h"
#include "store/store.h"

namespace claviger {

/// By alias.
using IdentityProviderTable = std::map<std::string, IdentityProvider, std::less<>>;

/// One tenant, complete.
struct TenantState {
    explicit TenantState(const Tenant& of) : tenant(of), access(of) {}

    Tenant tenant;
    AccessSnapshot access;
    AccountTable accounts;
    UserTable users;
    AccessKeyTable access_keys;
    SessionTable sessions;
    KeyRing keys;
    /// Shared between the generations; never null.
    std::shared_ptr<const IdentityProviderTable> identity_providers =
        std::make_shared<const IdentityProviderTable>();
    TenantSettings settings;
    RevocationTable revocations;
    std::uint64_t revision = 0; // the change number of the last commit seen
};

/// Shared between the directory and the requests that are reading it.
using TenantStatePointer = std::shared_ptr<const TenantState>;

/// All tenants, by id.
struct DirectoryState {
    std::vector<TenantStatePointer> tenants;
    std::string default_host; // where a tenant without a host name answers beside others

    TenantStatePointer find(TenantId id) const;
    /// The tenant that a host name selects. A tenant without one answers at the default host, and
    /// at any host while it is the only tenant.
    TenantStatePointer find_by_host(std::string_view host) const;
};

class Directory {
public:
    /// `default_host`: the host name of the public URL.
    Directory(const KeyVault& vault, std::string default_host, Log& log);

    /// Reads everything from the store and follows its commits from then on.
    Result<void> attach(Store& store);

    /// Called after each change, when current() has it. Set once, before the first change.
    void set_change_listener(std::function<void()> listener);

    /// The newest state. Cheap: one atomic load while nothing has changed on this thread.
    std::shared_ptr<const DirectoryState> current() const;

private:
    void apply(std::uint64_t change_number, std::span<const Row> rows);
    void publish(std::shared_ptr<const DirectoryState> next);

    const KeyVault& vault_;
    Log& log_;
    std::string default_host_;
    std::function<void()> change_listener_;
    std::uint64_t serial_; // identifies this directory in the per-thread copies
    std::atomic<std::uint64_t> revision_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<const DirectoryState> state_; // shared with readers
};

} // namespace claviger
