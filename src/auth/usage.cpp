// SPDX-License-Identifier: Apache-2.0
#include "auth/usage.h"

#include <algorithm>

#include "access/decide.h"
#include "auth/rights.h"

namespace claviger {
namespace {

constexpr std::size_t rows_per_write = 4'096; // changes wait meanwhile
constexpr std::int64_t removal_pause_milliseconds = 3'600'000;

std::size_t index_of(Permission permission) {
    return static_cast<std::size_t>(permission.resource_type) * action_count +
           static_cast<std::size_t>(permission.action);
}

std::vector<std::string> all_permissions() {
    std::vector<std::string> texts;
    for (const ResourceTypeEntry& type : resource_types()) {
        for (std::size_t action = 0; action < action_count; ++action) {
            texts.push_back(text_of({type.id, static_cast<Action>(action)}));
        }
    }
    return texts;
}

template <class Visit>
void for_each_bit(const Bytes& bits, Visit visit) {
    for (std::size_t number = 0; number < bits.size() * 8; ++number) {
        if ((bits[number / 8] >> (number % 8) & 1U) != 0) {
            visit(number);
        }
    }
}

/// Stands for all that is within reach.
constexpr NodeIndex anywhere{0xFFFF'FFFF};

/// One use as the table of a thread remembers it.
struct KnownUse {
    std::uint64_t usage = 0; // 0: free
    Uuid credential;
    std::uint64_t revision = 0; // of the state, where the scopes depend on it
    TenantId tenant{};
    Day day;
    NodeIndex scope{};
    std::uint16_t permission = 0;
    CredentialKind kind{};
    friend bool operator==(const KnownUse&, const KnownUse&) = default;

    std::size_t hash() const {
        const std::uint64_t place =
            static_cast<std::uint64_t>(scope) * 512 + static_cast<std::uint64_t>(permission);
        return (hash_of(credential) ^ place * 0x9E3779B97F4A7C15ULL) >> 16;
    }
};

/// Direct-mapped: what falls on a place takes it.
class KnownUses {
public:
    bool contains(const KnownUse& use) const {
        return places_ != nullptr && places_[use.hash() % place_count] == use;
    }
    void insert(const KnownUse& use) {
        if (places_ == nullptr) {
            places_ = std::make_unique<KnownUse[]>(place_count);
        }
        places_[use.hash() % place_count] = use;
    }

private:
    static constexpr std::size_t place_count = 4'096;
    std::unique_ptr<KnownUse[]> places_; // none until the first
};

KnownUses& known_uses() {
    static thread_local KnownUses known;
    return known;
}

} // namespace

Credential credential_of(const Principal& principal) {
    if (principal.access_key) {
        return {CredentialKind::access_key, *principal.access_key};
    }
    return {principal.kind == PrincipalKind::user ? CredentialKind::user
                                                  : CredentialKind::service_account,
            principal.id};
}

// --- numbers ------------------------------------------------------------------------------------

PermissionNumbers::PermissionNumbers(UsageNumbers numbers)
    : numbers_(std::move(numbers)), by_permission_(resource_types().size() * action_count, 0) {
    for (std::size_t number = 0; number < numbers_.permissions.size(); ++number) {
        const auto permission = find_permission(numbers_.permissions[number]);
        by_number_.push_back(permission);
        if (permission) {
            by_permission_[index_of(*permission)] = number;
        }
    }
}

Bytes PermissionNumbers::bits_of(const PermissionSet& permissions) const {
    Bytes bits;
    for (const Permission permission : permissions.list()) {
        const std::size_t number = by_permission_[index_of(permission)];
        bits.resize(std::max(bits.size(), number / 8 + 1));
        bits[number / 8] = static_cast<std::uint8_t>(bits[number / 8] | 1U << number % 8);
    }
    return bits;
}

PermissionSet PermissionNumbers::permissions_of(const Bytes& bits) const {
    PermissionSet permissions;
    for_each_bit(bits, [&](std::size_t number) {
        if (number < by_number_.size() && by_number_[number]) {
            permissions.add(*by_number_[number]);
        }
    });
    return permissions;
}

std::vector<std::string> PermissionNumbers::texts_of(const Bytes& bits) const {
    std::vector<std::string> texts;
    for_each_bit(bits, [&](std::size_t number) {
        if (number < numbers_.permissions.size()) {
            texts.push_back(numbers_.permissions[number]);
        }
    });
    std::ranges::sort(texts);
    return texts;
}

Result<std::shared_ptr<const PermissionNumbers>> Usage::numbers() {
    const std::scoped_lock lock(numbers_mutex_);
    if (numbers_ == nullptr) {
        UsageNumbers numbers = TRY(store_.usage().number(all_permissions(), today()));
        numbers_ = std::make_shared<const PermissionNumbers>(std::move(numbers));
    }
    return numbers_;
}

Result<void> Usage::begin() {
    TRY(numbers());
    return {};
}

// --- recording ----------------------------------------------------------------------------------

Usage::Usage(Store& store, const Clock& clock, const UsageOptions& options)
    : store_(store), clock_(clock), options_(options), serial_([] {
          static std::atomic<std::uint64_t> last{0};
          return ++last;
      }()) {}

std::size_t Usage::HashOfKey::operator()(const Key& key) const {
    const auto rest = static_cast<std::uint64_t>(key.scope) * 65'536 +
                      static_cast<std::uint64_t>(static_cast<std::uint32_t>(key.day.number));
    return hash_of(key.credential.id) ^ rest * 0x9E3779B97F4A7C15ULL;
}

void Usage::record(const TenantState& state, const Principal& principal, Permission permission,
                   NodeIndex scope) {
    const Day day = today();
    const Credential credential = credential_of(principal);
    const KnownUse use{serial_,
                       credential.id,
                       0,
                       state.tenant.id,
                       day,
                       scope,
                       static_cast<std::uint16_t>(index_of(permission)),
                       credential.kind};
    if (!known_uses().contains(use) && add(state, principal, permission, scope, day)) {
        known_uses().insert(use);
    }
}

void Usage::record_anywhere(const TenantState& state, const Principal& principal,
                            Permission permission) {
    const Day day = today();
    const Credential credential = credential_of(principal);
    const KnownUse use{serial_,
                       credential.id,
                       state.revision,
                       state.tenant.id,
                       day,
                       anywhere,
                       static_cast<std::uint16_t>(index_of(permission)),
                       credential.kind};
    // Other tokens of the credential may reach further than a narrowed one.
    const bool is_whole = principal.narrowing == nullptr;
    if (is_whole && known_uses().contains(use)) {
        return;
    }
    const Rights rights = rights_of(principal);
    bool has_room = true;
    for (const NodeIndex scope : permitted_scopes(state.access, rights.holder(), permission)) {
        has_room = add(state, principal, permission, scope, day) && has_room;
    }
    if (is_whole && has_room) {
        known_uses().insert(use);
    }
}

bool Usage::take_room() {
    const std::size_t before = count_.fetch_add(1, std::memory_order_relaxed);
    if (before >= options_.most_pending) {
        count_.fetch_sub(1, std::memory_order_relaxed);
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    if (before + 1 == std::max<std::size_t>(options_.most_pending / 2, 1)) {
        const std::scoped_lock lock(wait_mutex_);
        is_filling_ = true;
        filling_.notify_all();
    }
    return true;
}

bool Usage::add(const TenantState& state, const Principal& principal, Permission permission,
                NodeIndex scope, Day day) {
    const Key key{state.tenant.id, credential_of(principal), day, scope};
    Shard& shard = shards_[HashOfKey{}(key) >> 40 & (shards_.size() - 1)];
    const std::scoped_lock lock(shard.mutex);
    auto at = shard.rows.find(key);
    if (at == shard.rows.end()) {
        if (!take_room()) {
            return false;
        }
        at = shard.rows.emplace(key, Pending{principal.id, state.access.scope_id(scope), {}}).first;
    }
    at->second.permissions.add(permission);
    return true;
}

// --- writing ------------------------------------------------------------------------------------

void Usage::move_to_batch(const PermissionNumbers& numbers) {
    const std::scoped_lock lock(batch_mutex_);
    for (Shard& shard : shards_) {
        const std::scoped_lock of_shard(shard.mutex);
        for (auto& [key, pending] : shard.rows) {
            batch_.push_back({key.credential, pending.owner, key.day, std::move(pending.scope),
                              numbers.bits_of(pending.permissions)});
        }
        shard.rows.clear();
    }
}

Result<void> Usage::flush() {
    const std::scoped_lock one(flush_mutex_);
    if (pending_count() == 0) {
        return {};
    }
    const auto numbers = TRY(this->numbers());
    move_to_batch(*numbers);
    while (true) {
        // Only this changes the batch, so that reading it here needs no lock.
        const std::size_t size = std::min(batch_.size(), rows_per_write);
        if (size == 0) {
            return {};
        }
        TRY(store_.usage().merge(std::span<const UsageRow>(batch_).last(size)));
        const std::scoped_lock lock(batch_mutex_);
        batch_.resize(batch_.size() - size);
        count_.fetch_sub(size, std::memory_order_relaxed);
    }
}

void Usage::wait(const std::stop_token& stop, std::chrono::milliseconds most) {
    std::unique_lock lock(wait_mutex_);
    filling_.wait_for(lock, stop, most, [this] { return is_filling_; });
    is_filling_ = false;
}

Result<void> Usage::remove_old(std::span<const TenantId> tenants, std::int64_t most_milliseconds) {
    const std::int64_t began = clock_.monotonic_milliseconds();
    if (options_.retention_days == 0 || began < next_removal_milliseconds_) {
        return {};
    }
    for (const TenantId tenant : tenants) {
        for (std::uint64_t removed = 1; removed > 0;) {
            removed = TRY(remove_old_of(tenant));
            if (removed > 0 && clock_.monotonic_milliseconds() >= began + most_milliseconds) {
                return {};
            }
        }
    }
    next_removal_milliseconds_ = began + removal_pause_milliseconds;
    return {};
}

Result<std::uint64_t> Usage::remove_old_of(TenantId tenant) {
    return store_.usage().remove_before(
        tenant, today().plus(-static_cast<std::int32_t>(options_.retention_days)));
}

// --- reading ------------------------------------------------------------------------------------

/// To be taken before the store is read: what is written meanwhile is seen twice, not missed.
std::vector<UsageRow> Usage::unwritten(const PermissionNumbers& numbers, TenantId tenant) {
    std::vector<UsageRow> rows;
    const std::scoped_lock lock(batch_mutex_);
    std::ranges::copy_if(batch_, std::back_inserter(rows),
                         [&](const UsageRow& row) { return row.scope.tenant == tenant; });
    for (const Shard& shard : shards_) {
        const std::scoped_lock of_shard(shard.mutex);
        for (const auto& [key, pending] : shard.rows) {
            if (key.tenant == tenant) {
                rows.push_back({key.credential, pending.owner, key.day, pending.scope,
                                numbers.bits_of(pending.permissions)});
            }
        }
    }
    return rows;
}

Result<void> Usage::for_each_of(TenantId tenant, const Credential& credential, Day from, Day to,
                                const UsageRows::Visit& visit) {
    const auto numbers = TRY(this->numbers());
    for (const UsageRow& row : unwritten(*numbers, tenant)) {
        if (row.credential == credential && from <= row.day && row.day <= to) {
            visit(row);
        }
    }
    return store_.usage().for_each_of(tenant, credential, from, to, visit);
}

Result<void> Usage::for_each_since(TenantId tenant, Day from, const UsageRows::Visit& visit) {
    const auto numbers = TRY(this->numbers());
    for (const UsageRow& row : unwritten(*numbers, tenant)) {
        if (from <= row.day) {
            visit(row);
        }
    }
    return store_.usage().for_each_since(tenant, from, visit);
}

Result<std::vector<LastUse>> Usage::last_uses(TenantId tenant) {
    const auto numbers = TRY(this->numbers());
    std::vector<LastUse> unwritten_uses;
    for (const UsageRow& row : unwritten(*numbers, tenant)) {
        unwritten_uses.push_back({row.credential, row.day});
    }
    auto uses = TRY(store_.usage().last_uses(tenant));
    std::ranges::copy(unwritten_uses, std::back_inserter(uses));
    return uses;
}

} // namespace claviger
