// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>
#include <vector>

#include "bench/bench.h"

namespace claviger::bench {
namespace {

constexpr std::string_view usage = R"(claviger_bench sign ALGORITHM SECONDS
claviger_bench pipeline DIR THREADS SECONDS
claviger_bench audit DIR RATE SECONDS
claviger_bench decide RULES SECONDS
claviger_bench fill DIR ACCOUNTS [ALGORITHM]
claviger_bench fill-rules DIR RULES
claviger_bench tokens DIR COUNT
claviger_bench bare DIR
claviger_bench serve DIR
claviger_bench offer PORT RATE SECONDS CONNECTIONS < request
)";

double number(const std::string& text) {
    return std::strtod(text.c_str(), nullptr);
}

Result<void> run(const std::vector<std::string>& words) {
    const std::string command = words.empty() ? "" : words[0];
    if (command == "sign" && words.size() == 3) {
        return measure_signatures(words[1], number(words[2]));
    }
    if (command == "pipeline" && words.size() == 4) {
        return measure_pipeline(words[1], static_cast<int>(number(words[2])), number(words[3]));
    }
    if (command == "audit" && words.size() == 4) {
        return measure_audit(words[1], number(words[2]), number(words[3]));
    }
    if (command == "decide" && words.size() == 3) {
        return measure_decisions(static_cast<std::int64_t>(number(words[1])), number(words[2]));
    }
    if (command == "fill" && (words.size() == 3 || words.size() == 4)) {
        return fill(words[1], static_cast<std::int64_t>(number(words[2])), Filled::with_accounts,
                    words.size() == 4 ? words[3] : "ES256");
    }
    if (command == "fill-rules" && words.size() == 3) {
        return fill(words[1], static_cast<std::int64_t>(number(words[2])), Filled::with_rules,
                    "ES256");
    }
    if (command == "tokens" && words.size() == 3) {
        return print_tokens(words[1], static_cast<std::int64_t>(number(words[2])));
    }
    if (command == "bare" && words.size() == 2) {
        return serve_bare(words[1]);
    }
    if (command == "serve" && words.size() == 2) {
        return serve_without_audit(words[1]);
    }
    if (command == "offer" && words.size() == 5) {
        return offer(static_cast<std::uint16_t>(number(words[1])), number(words[2]),
                     number(words[3]), static_cast<int>(number(words[4])));
    }
    return fail(ErrorCode::invalid_request, std::string(usage));
}

} // namespace
} // namespace claviger::bench

int main(int argc, char** argv) {
    const auto done = claviger::bench::run({argv + 1, argv + argc});
    if (!done) {
        std::cerr << done.error().detail() << "\n";
        return 1;
    }
    return 0;
}
