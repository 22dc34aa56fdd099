// SPDX-License-Identifier: Apache-2.0
// A thread that writes what was used to the store, every ten seconds and earlier when much has
// come together; the last time when it is stopped.
#pragma once

#include <thread>

#include "auth/usage.h"
#include "base/log.h"

namespace claviger {

class UsageWriter {
public:
    /// Both must outlive it.
    UsageWriter(Usage& usage, Log& log);
    UsageWriter(const UsageWriter&) = delete;
    UsageWriter& operator=(const UsageWriter&) = delete;
    ~UsageWriter();

private:
    void run(const std::stop_token& stop);
    void flush();

    Usage& usage_;
    Log& log_;
    bool is_failing_ = false; // said in the log once
    std::jthread thread_;
};

} // namespace claviger
