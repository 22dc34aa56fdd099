// SPDX-License-Identifier: Apache-2.0
// Puts another master key in the place of the one in force, while the server runs or not. Only the
// record of the root key is sealed anew. Until the new key is in place both are accepted, so that
// whatever interrupts this, the server starts with the one that it finds (ADR 14):
//
//   1. written    the new key lies beside the old one (own file only)
//   2. accepted   the root key is sealed under both, and was opened with the new one
//   3. replaced   the new key has the name of the old one, which has a name of its own
//   4. in force   the record of the old key is removed, then its file
//
// A master key that comes from elsewhere is put in place by the operator: then 3 is the next start
// with it, and 4 follows at once.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/identity_providers.h"
#include "auth/key_ring.h"
#include "auth/root_key.h"
#include "base/clock.h"

namespace claviger {

enum class RekeyStep : std::uint8_t { written, accepted, replaced, in_force };

/// Where the master key comes from.
struct MasterKeyOrigin {
    std::string text;               // "environment CLAVIGER_MASTER_KEY"
    std::filesystem::path own_file; // in the data directory; empty: the operator keeps it
};

struct RekeyOutcome {
    std::string old_id;
    std::string new_id;
    bool is_in_force = false; // otherwise the operator puts it in place
};

/// What rekey --check tells.
struct RekeyReport {
    std::string in_force;              // the id of the master key
    std::vector<std::string> accepted; // others that open the root key as well
    std::size_t signing_keys = 0;      // opened
    std::size_t secrets = 0;           // of identity providers, opened
    std::vector<std::string> problems;
};

class Rekey {
public:
    /// Called after each step; an error stops there. For tests.
    using AfterStep = std::function<Result<void>(RekeyStep)>;

    Rekey(Store& store, const RootKey& root_key, const MasterKey& master_key,
          MasterKeyOrigin origin, const KeyVault& vault,
          const IdentityProviders& identity_providers, const Clock& clock, Random& random,
          AfterStep after_step = {});

    /// `new_key`: 64 hexadecimal digits; without, one is made, which only an own file can take.
    /// Goes on where an earlier call was interrupted. `conflict` while another call runs.
    Result<RekeyOutcome> run(const std::optional<Secret>& new_key);

    /// At start: when the key in place is the newer of two, the older one is accepted no more.
    /// Gives what the operator should know; empty: nothing.
    Result<std::string> finish_interrupted();

    Result<RekeyReport> check();
    const std::string& origin() const { return origin_.text; }

private:
    const MasterKey& in_place() const;
    Result<void> read_own_file();
    Result<void> check_opens(const std::vector<SealedRootKey>& sealed, const MasterKey& key) const;
    Result<MasterKey> parse_new(const Secret& text) const;
    Result<MasterKey> next_key(const std::optional<Secret>& new_key);
    Result<MasterKey> take_up(MasterKey&& found, const std::optional<Secret>& new_key) const;
    Result<void> accept(const MasterKey& next);
    Result<void> replace_file();
    Result<void> put_in_force();
    Result<void> remove_old_file() const;
    Result<void> append_events(Transaction& transaction, std::string_view state,
                               const std::string& id, Timestamp now) const;
    Result<void> after(RekeyStep step) const;
    std::filesystem::path beside(std::string_view ending) const;

    Store& store_;
    const RootKey& root_key_;
    const MasterKey& given_; // as of start
    MasterKeyOrigin origin_;
    const KeyVault& vault_;
    const IdentityProviders& identity_providers_;
    const Clock& clock_;
    Random& random_;
    AfterStep after_step_;
    std::mutex mutex_;                 // one call at a time; guards what follows
    std::optional<MasterKey> in_file_; // what the own file holds now
};

} // namespace claviger
