// SPDX-License-Identifier: Apache-2.0
// The parts of claviger_bench: what the server's own program must not have (a route that does
// nothing, an audit sink that keeps nothing), what is measured without a network, and a generator
// of load at a fixed rate. Each prints one line, "name value name value ...", for bench/run.py.
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "server/application.h"

namespace claviger::bench {

/// Seconds of `clock` (CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID).
inline double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// world.cpp
/// What tokens say of their origin, whichever process made them.
inline constexpr std::string_view public_url = "http://127.0.0.1";
inline constexpr std::string_view credentials_file_name = "credentials.txt";

/// Those of a service account in a filled directory, as the credentials file lists them.
struct Credentials {
    std::string client_id;
    std::string client_secret;
};

Options bench_options(const std::filesystem::path& directory, std::string_view algorithm);
/// The whole server but its sockets, over a data directory and without an audit record.
Result<std::unique_ptr<Application>> open_without_audit(const std::filesystem::path& directory,
                                                        Log& log,
                                                        std::string_view algorithm = "ES256");
std::vector<Credentials> read_credentials(const std::filesystem::path& directory);
HttpRequest token_request(const Credentials& credentials);
/// Prints `count` access tokens, one a line.
Result<void> print_tokens(const std::filesystem::path& directory, std::int64_t count);

// micro.cpp
Result<void> measure_signatures(std::string_view algorithm, double seconds);
Result<void> measure_pipeline(const std::filesystem::path& directory, int threads, double seconds);
Result<void> measure_audit(const std::filesystem::path& directory, double rate, double seconds);

// decide.cpp
/// Nanoseconds of a decision and of an explanation in a tenant with so many rules.
Result<void> measure_decisions(std::int64_t rules, double seconds);

// fill.cpp
/// Of what there is `count`: service accounts, each with a rule; or rules of a tenth as many users.
enum class Filled : std::uint8_t { with_accounts, with_rules };
/// Makes a data directory with one tenant. `algorithm` signs the tokens.
Result<void> fill(const std::filesystem::path& directory, std::int64_t count, Filled filled,
                  std::string_view algorithm);

// serve.cpp
/// Answers everything at once: the path's last segment says with how many bytes.
Result<void> serve_bare(const std::filesystem::path& directory);
/// The server without an audit record.
Result<void> serve_without_audit(const std::filesystem::path& directory);

// offer.cpp
/// Sends the request on standard input at a fixed rate and prints the latencies.
Result<void> offer(std::uint16_t port, double rate, double seconds, int connections);

} // namespace claviger::bench
