// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and 1.3 for the listener: forward-secret AEAD suites only, no renegotiation, no
// compression, one ticket under keys that change hourly. Certificates are read again when their
// files change.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace claviger {

struct TlsFiles {
    std::filesystem::path certificate; // PEM, the chain
    std::filesystem::path key;         // PEM, readable by nobody else
};

class TlsContexts {
public:
    /// `invalid_request` says which file is wrong, and what to do.
    static Result<std::unique_ptr<TlsContexts>> load(TlsFiles files, const Clock& clock, Log& log);

    /// The context for a new handshake; shared with the connections that began under it.
    std::shared_ptr<boost::asio::ssl::context> current();
    /// Reads the files again at the next handshake.
    void reload();

private:
    TlsContexts(TlsFiles files, const Clock& clock, Log& log);
    std::filesystem::file_time_type newest_change() const;

    TlsFiles files_;
    const Clock& clock_;
    Log& log_;
    std::mutex mutex_;
    std::shared_ptr<boost::asio::ssl::context> context_; // shared with open connections
    std::filesystem::file_time_type loaded_change_;
    std::int64_t loaded_milliseconds_ = 0;
    std::int64_t checked_milliseconds_ = 0;
};

} // namespace claviger
