// SPDX-License-Identifier: Apache-2.0
// Somebody must always be able to administer a tenant: every change that may take its last System
// administrator away asks here, inside its own transaction.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "store/store.h"

namespace claviger {

/// Whether the rule makes its subject System administrator of the whole tenant.
bool makes_administrator(const AccessRule& rule);

/// Whether a user can sign in without an identity provider.
bool counts_as_administrator(const User& user);

/// `conflict` unless a rule is left that makes somebody such an administrator who can sign in: an
/// enabled service account or an enabled local user. Groups, users without an account and users of
/// identity providers do not count: whether they can sign in is not known here.
/// Call it when the change has been put.
Result<void> check_administrator_left(Transaction& transaction, TenantId tenant);

/// The same after a change that only keeps `subject` from signing in.
Result<void> check_administrator_left_without(Transaction& transaction, TenantId tenant,
                                              const Subject& subject);

/// Deletes the rules of a subject that is being deleted, and gives their number. `conflict` as
/// above.
Result<std::size_t> remove_rules_of(Transaction& transaction, TenantId tenant,
                                    const Subject& subject, Timestamp now);

} // namespace claviger
