// SPDX-License-Identifier: Apache-2.0
// A body that grows when something happens, and takes no thread while it waits for that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace claviger {

/// It owns what it reads from: the request is over before the body is.
class FollowedBody {
public:
    enum class Progress : std::uint8_t {
        more,    ///< Ask again when the chunk has been sent.
        waiting, ///< Ask again when the directory has changed, and within a second at any rate.
        ended,   ///< The chunk is the last one.
    };
    virtual ~FollowedBody() = default;
    /// Puts what there is into `chunk`, which is empty: little, so that a slow reader costs little.
    /// Touches memory only. When the server stops it must end.
    virtual Progress next(std::string& chunk, bool is_stopping) = 0;
    virtual std::string_view content_type() const = 0;
};

/// A handler's answer of type T that waits until there is one.
template <class T>
struct Followed {
    std::unique_ptr<FollowedBody> body;
};

} // namespace claviger
