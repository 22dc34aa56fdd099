// SPDX-License-Identifier: Apache-2.0
// How an answer is recorded, whichever listener gave it: in the figures, and in the log at level
// debug, or as a warning when the server failed.
#pragma once

#include "api/http.h"
#include "base/log.h"
#include "server/metrics.h"

namespace claviger {

struct AnswerRecord {
    int status = 0;
    std::string_view route; // lives as long as the process
    std::int64_t microseconds = 0;
};

void record_answer(ThreadMetrics& metrics, Log& log, const HttpRequest& request,
                   const AnswerRecord& answer);

} // namespace claviger
