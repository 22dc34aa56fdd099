// SPDX-License-Identifier: Apache-2.0
// For tests: a body that comes in pieces as the test says.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

#include "api/body_stream.h"

namespace claviger::testing {

/// Opens once, for as many as wait.
class Gate {
public:
    void open() {
        {
            const std::scoped_lock lock(mutex_);
            open_ = true;
        }
        wake_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        wake_.notify_all();
        wake_.wait(lock, [&] { return open_; });
    }
    void wait_for_visitors(int count) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return waiting_ >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    int waiting_ = 0;
    bool open_ = false;
};

/// Pieces of 64 KiB, as many as `pieces`; then the end, or a failure. The last piece waits at the
/// gate.
class ObedientStream final : public BodyStream {
public:
    static constexpr std::size_t piece_bytes = 64 * 1024;

    ObedientStream(std::atomic<int>& made, std::atomic<int>& alive, Gate& gate, int pieces,
                   bool fails)
        : made_(made), alive_(alive), gate_(gate), pieces_(pieces), fails_(fails) {
        ++alive_;
    }
    ~ObedientStream() override { --alive_; }
    ObedientStream(const ObedientStream&) = delete;
    ObedientStream& operator=(const ObedientStream&) = delete;

    Result<bool> next(std::string& chunk) override {
        EXPECT_TRUE(chunk.empty());
        if (pieces_ == 1) {
            gate_.wait();
        }
        if (pieces_ == 0) {
            return fails_ ? Result<bool>(fail(ErrorCode::internal, "the disk is gone")) : false;
        }
        --pieces_;
        ++made_;
        chunk.assign(piece_bytes, 'x');
        return true;
    }

private:
    std::atomic<int>& made_;
    std::atomic<int>& alive_;
    Gate& gate_;
    int pieces_;
    bool fails_;
};

} // namespace claviger::testing
