// SPDX-License-Identifier: Apache-2.0
#include "server/answer_record.h"

namespace claviger {

void record_answer(ThreadMetrics& metrics, Log& log, const HttpRequest& request,
                   const AnswerRecord& answer) {
    metrics.record(answer.route, request.method, answer.status,
                   static_cast<double>(answer.microseconds) / 1e6);
    const LogLevel level = answer.status >= 500 ? LogLevel::warning : LogLevel::debug;
    if (!log.enabled(level)) {
        return;
    }
    log.write(level, "answered",
              {{"status", std::int64_t{answer.status}},
               {"method", name_of(request.method)},
               {"path", std::string_view(request.path)},
               {"route", answer.route},
               {"microseconds", answer.microseconds},
               {"source_ip", std::string_view(request.source_ip)},
               {"request_id", std::string_view(request.request_id)}});
}

} // namespace claviger
