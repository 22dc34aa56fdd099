// SPDX-License-Identifier: Apache-2.0
#include "auth/root_key.h"

#include <algorithm>

namespace claviger {
namespace {

constexpr std::string_view sealing_purpose = "claviger root key 1";

std::string place_of(std::string_view master_key_id) {
    return "claviger root key 1|" + std::string(master_key_id);
}

std::unexpected<Error> another_master_key(const std::vector<SealedRootKey>& sealed,
                                          const MasterKey& given) {
    std::string ids;
    for (const SealedRootKey& key : sealed) {
        ids += (ids.empty() ? "" : " or ") + key.master_key_id;
    }
    return fail(ErrorCode::invalid_request,
                "the master key is another one: the data directory is sealed under " + ids +
                    ", and " + given.id() +
                    " was given; a restored backup needs the master key of its time");
}

} // namespace

RootKey::RootKey(RootKey&& other) noexcept : key_(other.key_) {
    wipe(other.key_);
}

RootKey::~RootKey() {
    wipe(key_);
}

RootKey RootKey::make(Random& random) {
    Key256 key;
    random.fill(key);
    RootKey made(key);
    wipe(key);
    return made;
}

RootKey RootKey::of(const MasterKey& master_key) {
    return RootKey(master_key.bytes());
}

Result<RootKey> RootKey::open(const SealedRootKey& sealed, const MasterKey& master_key) {
    Key256 sealing = master_key.derive(sealing_purpose);
    auto plain = claviger::open(sealing, sealed.box, place_of(sealed.master_key_id));
    wipe(sealing);
    Key256 key;
    if (!plain || plain->size() != key.size()) {
        return fail(ErrorCode::internal, "the root key cannot be opened: its record was changed");
    }
    std::ranges::copy(*plain, key.begin());
    wipe(*plain);
    RootKey opened(key);
    wipe(key);
    return opened;
}

SealedRootKey RootKey::seal(const MasterKey& master_key, Random& random, Timestamp now) const {
    SealedRootKey sealed{master_key.id(), {}, now};
    Key256 sealing = master_key.derive(sealing_purpose);
    sealed.box = claviger::seal(sealing, key_, place_of(sealed.master_key_id), random);
    wipe(sealing);
    return sealed;
}

bool RootKey::is_same(const RootKey& other) const {
    return constant_time_equal(key_, other.key_);
}

Key256 RootKey::derive(std::string_view purpose) const {
    return hkdf_sha256(key_, purpose);
}

Result<std::vector<SealedRootKey>> read_root_keys(Store& store) {
    std::vector<SealedRootKey> sealed;
    TRY(store.write([&](Transaction& transaction) -> Result<void> {
        sealed = TRY(transaction.root_keys().all());
        return {};
    }));
    return sealed;
}

Result<FoundRootKey> find_root_key(Store& store, const MasterKey& master_key, Random& random,
                                   Timestamp now) {
    const auto sealed = TRY(read_root_keys(store));
    if (sealed.empty()) {
        bool has_tenants = false;
        TRY(store.write([&](Transaction& transaction) -> Result<void> {
            const auto tenants = TRY(transaction.tenants().all());
            has_tenants = !tenants.empty();
            return {};
        }));
        RootKey key = has_tenants ? RootKey::of(master_key) : RootKey::make(random);
        SealedRootKey record = key.seal(master_key, random, now);
        return FoundRootKey{std::move(key), std::move(record)};
    }
    const auto at = std::ranges::find(sealed, master_key.id(), &SealedRootKey::master_key_id);
    if (at == sealed.end()) {
        return another_master_key(sealed, master_key);
    }
    RootKey key = TRY(RootKey::open(*at, master_key));
    return FoundRootKey{std::move(key), std::nullopt};
}

Result<void> keep_root_key(Store& store, const FoundRootKey& found) {
    if (!found.unsaved) {
        return {};
    }
    return store.write(
        [&](Transaction& transaction) { return transaction.root_keys().put(*found.unsaved); });
}

} // namespace claviger
