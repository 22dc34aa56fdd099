// SPDX-License-Identifier: Apache-2.0
// The last refusals of each tenant, found by the id of the request: what `claviger why` reads. In
// memory only, of fixed size, and without anything secret. Thread safe.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/refusal.h"

namespace claviger {

/// A refused request besides the refusal itself. The views of `method` and `path` must be of
/// constants: they are kept.
struct RefusedRequest {
    Uuid id;
    Timestamp at;
    std::string_view method; // "GET"
    std::string_view path;   // of the operation: "/api/v1/projects/{projectId}"
    std::string_view source_ip;
    bool is_behind_proxy = false; // a trusted one, which said the source
    int status = 0;
};

/// What was kept of one.
struct Diagnosis {
    RefusedRequest request; // with an empty source_ip
    std::string source_ip;
    Refusal refusal;
};

struct DiagnosisLimits {
    std::size_t proven = 4'096;       // of a tenant: of callers that had shown who they are
    std::size_t named = 1'024;        // of a tenant: wrong secrets of somebody who exists
    std::size_t strangers = 512;      // of a tenant: all others
    std::size_t all_bytes = 32 << 20; // of all tenants
};

class Diagnoses {
public:
    explicit Diagnoses(DiagnosisLimits limits = {});
    ~Diagnoses();

    /// Allocates only while there are fewer entries than there may be. Forgets the oldest of the
    /// same tenant and kind; when the memory for all is used up, those of whoever has the most.
    void record(TenantId tenant, const RefusedRequest& request, const Refusal& refusal);
    /// The newest with this id.
    std::optional<Diagnosis> find(TenantId tenant, const Uuid& request) const;

    std::size_t size() const;
    /// Of the entries that there is memory for now; never more than the limit.
    std::size_t bytes() const;

private:
    struct Entry;
    static const std::size_t bytes_of_entry;
    /// A queue in a vector: when it is full, a new entry takes the place of the oldest.
    class Ring;
    using Rings = std::array<Ring, 3>; // by kind of refusal
    enum class Kind : std::uint8_t { proven, named, stranger };

    static Kind kind_of(const Refusal& refusal);
    std::size_t most_of(Kind kind) const;
    void make_room(Ring& ring, std::size_t most);
    Ring* find_largest();

    DiagnosisLimits limits_;
    mutable std::mutex mutex_;
    std::map<TenantId, std::unique_ptr<Rings>> tenants_;
    std::size_t capacity_ = 0; // of all rings, in entries
};

} // namespace claviger
