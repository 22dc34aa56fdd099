// SPDX-License-Identifier: Apache-2.0
// Which permissions each credential used, by day and scope: one row for all that it used there, so
// that the database grows with distinct use and not with requests. Without change log and audit.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/day.h"
#include "base/error.h"
#include "model/model.h"

namespace claviger {

/// What somebody calls with. A user is one only who has signed in: a key of theirs is another. The
/// numbers stand in databases.
enum class CredentialKind : std::uint8_t { service_account = 0, access_key = 1, user = 2 };

struct Credential {
    CredentialKind kind = CredentialKind::service_account;
    Uuid id;
    friend auto operator<=>(const Credential&, const Credential&) = default;
};

struct UsageRow {
    Credential credential;
    Uuid owner; // the user of an access key; of others their own id
    Day day;
    ScopeId scope;     // says the tenant as well
    Bytes permissions; // the permission of number n is bit n % 8 of byte n / 8
};

/// What the bits of a database mean. A number is given once and never to another permission.
struct UsageNumbers {
    std::vector<std::string> permissions; // by number: "project:read"
    Day since;                            // recording began in the course of this day
};

/// How many rows one call of remove_before() takes at most: changes wait meanwhile.
inline constexpr std::size_t most_removed_usage = 4096;

struct LastUse {
    Credential credential;
    Day day;
};

class UsageRows {
public:
    using Visit = std::function<void(const UsageRow&)>;
    virtual ~UsageRows() = default;

    /// Gives numbers to those of `permissions` that have none yet. The first call ever is when
    /// recording begins.
    virtual Result<UsageNumbers> number(std::span<const std::string> permissions, Day today) = 0;
    /// Adds bits to what is there, all rows or none.
    virtual Result<void> merge(std::span<const UsageRow> rows) = 0;
    /// By day and scope, both ends included.
    virtual Result<void> for_each_of(TenantId tenant, const Credential& credential, Day from,
                                     Day to, const Visit& visit) = 0;
    /// In the order of the days.
    virtual Result<void> for_each_since(TenantId tenant, Day from, const Visit& visit) = 0;
    /// Of each credential that has rows.
    virtual Result<std::vector<LastUse>> last_uses(TenantId tenant) = 0;
    /// Removes some of the rows of days before `before`; says how many. Call it until none are.
    virtual Result<std::uint64_t> remove_before(TenantId tenant, Day before) = 0;
};

/// Adds the bits of `more` to `bits`; true when there were new ones.
inline bool add_bits(Bytes& bits, const Bytes& more) {
    bool has_grown = false;
    if (bits.size() < more.size()) {
        bits.resize(more.size());
    }
    for (std::size_t i = 0; i < more.size(); ++i) {
        const auto sum = static_cast<std::uint8_t>(bits[i] | more[i]);
        has_grown = has_grown || sum != bits[i];
        bits[i] = sum;
    }
    return has_grown;
}

} // namespace claviger
