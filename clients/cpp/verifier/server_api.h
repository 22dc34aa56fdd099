// SPDX-License-Identifier: Apache-2.0
// What a verifier asks the server for, with a token of its own that is renewed before it expires
// and once more when the server takes it no longer.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "verifier/transport.h"

namespace claviger::offline {

struct ServerAccount {
    std::string server; // without a last slash
    std::string client_id;
    Secret client_secret;
    std::int64_t timeout_milliseconds = 10'000;
};

class ServerApi {
public:
    ServerApi(ServerAccount account, const Clock& clock);

    /// The published keys; no token goes along.
    Result<Answer> fetch_keys(Transport& transport) const;
    /// Everything that has ended, or all rules; both may be large.
    Result<Answer> fetch_snapshot(Transport& transport, std::string_view path);
    /// The entries of the feed after this number, as they come.
    Result<Answer> follow(Transport& transport, std::uint64_t number, const TakeBytes& take);
    /// A question in JSON, asked with somebody else's token.
    Result<Answer> ask(Transport& transport, std::string_view path, std::string body,
                       const std::string& bearer) const;

private:
    Result<Answer> send(Transport& transport, Request request, const TakeBytes& take = {});
    Result<std::string> bearer(Transport& transport);
    Result<void> sign_in(Transport& transport);
    void reject(std::string_view bearer);

    ServerAccount account_;
    const Clock& clock_;
    std::mutex mutex_; // of what follows; held while signing in, so that one does it for all
    Secret token_;
    std::int64_t renew_at_ = 0; // monotonic milliseconds
};

} // namespace claviger::offline
