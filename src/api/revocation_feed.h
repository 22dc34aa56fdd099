// SPDX-License-Identifier: Apache-2.0
// The feed of revocations as bodies: an answer that waits for news, events as they come, and the
// snapshot. A reader that may no longer read gets no more.
#pragma once

#include <cstdint>
#include <memory>

#include "api/context.h"

namespace claviger {

struct FeedPosition {
    std::uint64_t after = 0; // the number of the last entry that the reader has
    std::int64_t wait_seconds = 0;
};

/// {"number":…,"events":[…]} when there is news, or when the wait is over.
std::unique_ptr<FollowedBody> wait_for_news(const Context& context, const FeedPosition& position);
/// Server-sent events, until the reader leaves.
std::unique_ptr<FollowedBody> follow_news(const Context& context, const FeedPosition& position);
/// {"number":…,"parts":[…]}
std::unique_ptr<BodyStream> make_snapshot(const Context& context);

} // namespace claviger
