// SPDX-License-Identifier: Apache-2.0
#include "verifier/event_stream.h"

#include <cstddef>
#include <utility>

namespace claviger::offline {
namespace {

constexpr std::size_t longest_event = std::size_t{256} * 1024; // bytes

} // namespace

bool EventStream::read(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        if (line_.size() + event_.size() > longest_event) {
            return false;
        }
        if (end == std::string_view::npos) {
            return true;
        }
        bytes.remove_prefix(end + 1);
        std::string line = std::exchange(line_, {});
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        if (!read_line(line)) {
            return false;
        }
    }
    return true;
}

bool EventStream::read_line(std::string_view line) {
    constexpr std::string_view field = "data:";
    if (line.empty()) {
        const std::string event = std::exchange(event_, {});
        return event.empty() || take_(event);
    }
    if (line.starts_with(field)) {
        line.remove_prefix(field.size());
        line.remove_prefix(line.starts_with(' ') ? 1 : 0);
        event_ += event_.empty() ? "" : "\n";
        event_ += line;
    }
    return true;
}

} // namespace claviger::offline
