// SPDX-License-Identifier: Apache-2.0
#include "server/server_environment.h"

namespace claviger {

ConnectionCounts::Place::~Place() {
    if (counts_ != nullptr) {
        counts_->leave(source_);
    }
}

std::optional<ConnectionCounts::Place>
ConnectionCounts::enter(const boost::asio::ip::address& source) {
    const std::scoped_lock lock(mutex_);
    if (total_ >= limits_.connections) {
        return std::nullopt;
    }
    const auto at = by_source_.find(source);
    if (at != by_source_.end() && at->second >= limits_.connections_of_one_source) {
        return std::nullopt;
    }
    ++by_source_[source];
    ++total_;
    return Place(*this, source);
}

void ConnectionCounts::leave(const boost::asio::ip::address& source) {
    const std::scoped_lock lock(mutex_);
    const auto at = by_source_.find(source);
    if (--at->second == 0) {
        by_source_.erase(at);
    }
    --total_;
}

} // namespace claviger
