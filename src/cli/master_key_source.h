// SPDX-License-Identifier: Apache-2.0
// Where the master key comes from: the option, the credential that systemd hands to the unit, or
// the file in the data directory. Only one of them may give a key: with two, nobody could say which
// one is in force.
#pragma once

#include "auth/rekey.h"
#include "cli/options.h"

namespace claviger {

/// The file in $CREDENTIALS_DIRECTORY.
inline constexpr std::string_view master_key_credential = "claviger-master-key";

struct FoundMasterKey {
    MasterKey key;
    MasterKeyOrigin origin;
    bool was_in_environment = false; // where other processes of the user could read it
};

/// With `create`, a missing file is made when nothing else gives a key. `invalid_request` names the
/// sources when there are two.
Result<FoundMasterKey> find_master_key(const Options& options, bool create, Random& random);

} // namespace claviger
