// SPDX-License-Identifier: Apache-2.0
#include "auth/diagnoses.h"

#include <algorithm>

namespace claviger {
namespace {

constexpr std::size_t first_capacity = 16; // entries of a ring

/// A text of bounded size in place; what is too long is cut between characters.
template <std::size_t most>
class FixedText {
public:
    void assign(std::string_view text) {
        std::size_t size = std::min(text.size(), most);
        const auto continues = [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
        };
        while (size < text.size() && size > 0 && continues(text[size])) {
            --size;
        }
        std::ranges::copy(text.substr(0, size), characters_.begin());
        size_ = static_cast<std::uint8_t>(size);
    }
    std::string_view view() const { return {characters_.data(), size_}; }

private:
    static_assert(most <= 255);
    std::uint8_t size_ = 0;
    std::array<char, most> characters_{};
};

} // namespace

/// A refusal without anything that is allocated.
struct Diagnoses::Entry {
    RefusedRequest request;
    FixedText<45> source_ip; // the longest text of an address
    RefusalReason reason{};
    SecretProblem secret{};
    PrincipalKind subject_kind{};
    std::optional<Uuid> subject;
    std::optional<Uuid> access_key;
    FixedText<128> subject_name;
    std::optional<Timestamp> when;
    std::optional<Permission> permission;
    std::optional<ScopeType> scope_type;
    TenantId scope_tenant{};
    FixedText<64> scope_id;
    std::optional<DecisionReason> decision;
    std::optional<LimitSource> limit;
    FixedText<160> detail;
    std::string_view grant;
    std::int64_t retry_after_seconds = 0;

    void put(const RefusedRequest& of, const Refusal& refusal) {
        request = of;
        request.source_ip = {};
        source_ip.assign(of.source_ip);
        reason = refusal.reason;
        secret = refusal.secret;
        subject_kind = refusal.subject.kind;
        subject = refusal.subject.id;
        access_key = refusal.subject.access_key;
        subject_name.assign(refusal.subject.name);
        when = refusal.when;
        permission = refusal.permission;
        scope_type.reset();
        if (refusal.scope) {
            scope_type = refusal.scope->type;
            scope_tenant = refusal.scope->tenant;
            scope_id.assign(refusal.scope->value);
        }
        decision = refusal.decision;
        limit = refusal.limit;
        detail.assign(refusal.detail);
        grant = refusal.grant;
        retry_after_seconds = refusal.retry_after_seconds;
    }

    Diagnosis read() const {
        Diagnosis diagnosis{request, std::string(source_ip.view()), {}};
        Refusal& refusal = diagnosis.refusal;
        refusal.reason = reason;
        refusal.subject = {subject_kind, subject, access_key, std::string(subject_name.view())};
        refusal.when = when;
        refusal.secret = secret;
        refusal.permission = permission;
        if (scope_type) {
            refusal.scope = ScopeId{scope_tenant, *scope_type, std::string(scope_id.view())};
        }
        refusal.decision = decision;
        refusal.limit = limit;
        refusal.detail = detail.view();
        refusal.grant = grant;
        refusal.retry_after_seconds = retry_after_seconds;
        return diagnosis;
    }
};

constexpr std::size_t Diagnoses::bytes_of_entry = sizeof(Entry) + sizeof(Uuid);

class Diagnoses::Ring {
public:
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return entries_.size(); }
    bool is_full() const { return size_ == entries_.size(); }

    /// There must be room for one.
    Entry& push(const Uuid& request) {
        const std::size_t at = (first_ + size_) % capacity();
        if (is_full()) {
            first_ = (first_ + 1) % capacity();
        } else {
            ++size_;
        }
        ids_[at] = request;
        return entries_[at];
    }

    /// The newest entries stay, as many as fit.
    void resize(std::size_t capacity) {
        std::vector<Entry> entries(capacity);
        std::vector<Uuid> ids(capacity);
        const std::size_t kept = std::min(size_, capacity);
        for (std::size_t i = 0; i < kept; ++i) {
            entries[i] = entries_[(first_ + size_ - kept + i) % this->capacity()];
            ids[i] = entries[i].request.id;
        }
        entries_ = std::move(entries);
        ids_ = std::move(ids);
        first_ = 0;
        size_ = kept;
    }

    /// The newest first.
    const Entry* find(const Uuid& request) const {
        for (std::size_t i = size_; i-- > 0;) {
            const std::size_t at = (first_ + i) % capacity();
            if (ids_[at] == request) {
                return &entries_[at];
            }
        }
        return nullptr;
    }

private:
    std::vector<Entry> entries_;
    std::vector<Uuid> ids_; // again, side by side: a search reads nothing else
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

Diagnoses::Diagnoses(DiagnosisLimits limits) : limits_(limits) {}
Diagnoses::~Diagnoses() = default;

Diagnoses::Kind Diagnoses::kind_of(const Refusal& refusal) {
    if (is_proven(refusal)) {
        return Kind::proven;
    }
    return refusal.subject.id ? Kind::named : Kind::stranger;
}

std::size_t Diagnoses::most_of(Kind kind) const {
    const std::array<std::size_t, 3> most{limits_.proven, limits_.named, limits_.strangers};
    return most[static_cast<std::size_t>(kind)];
}

Diagnoses::Ring* Diagnoses::find_largest() {
    Ring* largest = nullptr;
    for (const auto& [tenant, rings] : tenants_) {
        for (Ring& ring : *rings) {
            if (largest == nullptr || ring.capacity() > largest->capacity()) {
                largest = &ring;
            }
        }
    }
    return largest;
}

/// Twice as much as before, at most `most`. What all have together stays within the limit: then the
/// largest of all gives up its older half, and it is this one that stays when it is the largest.
void Diagnoses::make_room(Ring& ring, std::size_t most) {
    const std::size_t before = ring.capacity();
    const std::size_t wanted = std::min(most, std::max(first_capacity, before * 2));
    const std::size_t all = limits_.all_bytes / bytes_of_entry;
    while (capacity_ + wanted - before > all) {
        Ring* largest = find_largest();
        if (largest == nullptr || largest->capacity() <= std::max<std::size_t>(before, 1)) {
            return;
        }
        capacity_ -= largest->capacity() - largest->capacity() / 2;
        largest->resize(largest->capacity() / 2);
    }
    ring.resize(wanted);
    capacity_ += wanted - before;
}

void Diagnoses::record(TenantId tenant, const RefusedRequest& request, const Refusal& refusal) {
    const Kind kind = kind_of(refusal);
    const std::scoped_lock lock(mutex_);
    auto& rings = tenants_[tenant];
    if (!rings) {
        rings = std::make_unique<Rings>();
    }
    Ring& ring = (*rings)[static_cast<std::size_t>(kind)];
    if (ring.is_full() && ring.capacity() < most_of(kind)) {
        make_room(ring, most_of(kind));
    }
    if (ring.capacity() > 0) {
        ring.push(request.id).put(request, refusal);
    }
}

std::optional<Diagnosis> Diagnoses::find(TenantId tenant, const Uuid& request) const {
    const std::scoped_lock lock(mutex_);
    const auto rings = tenants_.find(tenant);
    const Entry* newest = nullptr;
    if (rings != tenants_.end()) {
        for (const Ring& ring : *rings->second) {
            const Entry* found = ring.find(request);
            const bool is_newer =
                found != nullptr && (newest == nullptr || found->request.at > newest->request.at);
            newest = is_newer ? found : newest;
        }
    }
    return newest == nullptr ? std::nullopt : std::optional(newest->read());
}

std::size_t Diagnoses::size() const {
    const std::scoped_lock lock(mutex_);
    std::size_t size = 0;
    for (const auto& [tenant, rings] : tenants_) {
        for (const Ring& ring : *rings) {
            size += ring.size();
        }
    }
    return size;
}

std::size_t Diagnoses::bytes() const {
    const std::scoped_lock lock(mutex_);
    return capacity_ * bytes_of_entry;
}

} // namespace claviger
