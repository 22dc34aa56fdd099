// SPDX-License-Identifier: Apache-2.0
#include "server/usage_writer.h"

namespace claviger {
namespace {

constexpr std::chrono::seconds pause{10};

} // namespace

UsageWriter::UsageWriter(Usage& usage, Log& log)
    : usage_(usage), log_(log), thread_([this](const std::stop_token& stop) { run(stop); }) {}

UsageWriter::~UsageWriter() {
    thread_.request_stop();
    thread_.join();
    flush(); // what came after its last one
}

void UsageWriter::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        usage_.wait(stop, pause);
        flush();
    }
}

void UsageWriter::flush() {
    const auto flushed = usage_.flush();
    if (!flushed && !is_failing_) {
        log_.write(LogLevel::error, "what was used could not be written; it is kept for later",
                   {{"reason", std::string_view(flushed.error().detail())}});
    }
    is_failing_ = !flushed;
}

} // namespace claviger
