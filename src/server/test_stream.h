// SPDX-License-Identifier: Apache-2.0
// For tests: a body that comes in pieces as the test says.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>

#include "api/body_stream.h"
#include "api/followed_body.h"

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

/// A byte for each piece of news that there is. A negative number of them is a defect.
class ObedientNews final : public FollowedBody {
public:
    ObedientNews(const std::atomic<int>& news, std::atomic<int>& alive)
        : news_(news), alive_(alive) {
        ++alive_;
    }
    ~ObedientNews() override { --alive_; }
    ObedientNews(const ObedientNews&) = delete;
    ObedientNews& operator=(const ObedientNews&) = delete;

    Progress next(std::string& chunk, bool is_stopping) override {
        EXPECT_TRUE(chunk.empty());
        const int news = news_;
        if (news < 0) {
            throw std::runtime_error("the news is bad");
        }
        if (is_stopping) {
            return Progress::ended;
        }
        chunk.assign(static_cast<std::size_t>(news - told_), 'n');
        told_ = news;
        return Progress::waiting;
    }
    std::string_view content_type() const override { return "text/event-stream"; }

private:
    const std::atomic<int>& news_;
    std::atomic<int>& alive_;
    int told_ = 0;
};

} // namespace claviger::testing
