// SPDX-License-Identifier: Apache-2.0
// What a principal may do, as decisions take it: the subjects that rules may name to reach it, and
// the limits of its key and of its token. Decisions take both from here only, so that no path
// forgets the limits.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "access/decide.h"
#include "auth/origin.h"

namespace claviger {

class Rights {
public:
    explicit Rights(const Principal& principal);
    Rights(const Rights&) = delete;
    Rights& operator=(const Rights&) = delete;

    /// The principal itself first, then its groups.
    std::span<const Subject> subjects() const {
        return all_.empty() ? std::span(&self_, 1) : std::span<const Subject>(all_);
    }
    AccessLimits limits() const { return {limits_.data(), limit_count_}; }
    AccessHolder holder() const { return {subjects(), limits()}; }

private:
    void add_limit(const AccessLimit& limit) { limits_[limit_count_++] = &limit; }

    Subject self_; // most callers are in no group: nothing is allocated for them
    std::vector<Subject> all_;
    std::array<const AccessLimit*, 2> limits_{}; // the key's, then the token's
    std::size_t limit_count_ = 0;
    LimitsPointer key_;                        // shared with the principal: it may go first
    std::shared_ptr<const AccessLimit> token_; // as well
};

inline Rights rights_of(const Principal& principal) {
    return Rights(principal);
}

} // namespace claviger
