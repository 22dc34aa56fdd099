// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML 9.2) as they come in pieces. Only what an event says is given
// on; the entries of the feed carry their number themselves, signed.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace claviger::offline {

class EventStream {
public:
    /// False ends the reading.
    using TakeEvent = std::function<bool(std::string_view)>;

    explicit EventStream(TakeEvent take) : take_(std::move(take)) {}

    /// False for an event that is too long, and when the reader wants no more.
    bool read(std::string_view bytes);

private:
    bool read_line(std::string_view line);

    TakeEvent take_;
    std::string line_;  // that has not ended
    std::string event_; // likewise
};

} // namespace claviger::offline
