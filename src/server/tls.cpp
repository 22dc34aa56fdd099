// SPDX-License-Identifier: Apache-2.0
#include "server/tls.h"

#include <algorithm>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace claviger {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::int64_t check_interval_milliseconds = 1'000;
/// A context has its ticket keys for its life; a new one has new keys.
constexpr std::int64_t context_lifetime_milliseconds = 3'600'000;

constexpr const char* tls_1_2_suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                                       "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";

std::unexpected<Error> file_error(const std::filesystem::path& file, std::string_view what) {
    return fail(ErrorCode::invalid_request, file.string() + ": " + std::string(what));
}

Result<std::shared_ptr<ssl::context>> make_context(const TlsFiles& files) {
    struct stat status{};
    if (::stat(files.key.c_str(), &status) != 0) {
        return file_error(files.key, "the TLS key cannot be opened");
    }
    if ((status.st_mode & 077) != 0) {
        return file_error(files.key,
                          "others can read the TLS key; run: chmod 600 " + files.key.string());
    }
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* const native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(native, 1);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cipher_list(native, tls_1_2_suites);
    // An encrypted key is refused; nobody is asked for its password.
    SSL_CTX_set_default_passwd_cb(native, [](char*, int, int, void*) { return -1; });
    boost::system::error_code ec;
    context->use_certificate_chain_file(files.certificate.string(), ec);
    if (ec) {
        return file_error(files.certificate, "the TLS certificate cannot be read: " + ec.message());
    }
    context->use_private_key_file(files.key.string(), ssl::context::pem, ec);
    if (ec) {
        return file_error(files.key,
                          "the TLS key cannot be read or does not belong to the certificate: " +
                              ec.message());
    }
    if (SSL_CTX_check_private_key(native) != 1) {
        ERR_clear_error();
        return file_error(files.key, "the TLS key does not belong to the certificate");
    }
    return context;
}

} // namespace

TlsContexts::TlsContexts(TlsFiles files, const Clock& clock, Log& log)
    : files_(std::move(files)), clock_(clock), log_(log) {}

std::filesystem::file_time_type TlsContexts::newest_change() const {
    std::error_code ignored;
    return std::max(std::filesystem::last_write_time(files_.certificate, ignored),
                    std::filesystem::last_write_time(files_.key, ignored));
}

Result<std::unique_ptr<TlsContexts>> TlsContexts::load(TlsFiles files, const Clock& clock,
                                                       Log& log) {
    std::unique_ptr<TlsContexts> contexts(new TlsContexts(std::move(files), clock, log));
    contexts->loaded_change_ = contexts->newest_change();
    contexts->loaded_milliseconds_ = clock.monotonic_milliseconds();
    contexts->context_ = TRY(make_context(contexts->files_));
    return contexts;
}

std::shared_ptr<ssl::context> TlsContexts::current() {
    const std::scoped_lock lock(mutex_);
    const std::int64_t now = clock_.monotonic_milliseconds();
    if (now - checked_milliseconds_ < check_interval_milliseconds) {
        return context_;
    }
    checked_milliseconds_ = now;
    const auto change = newest_change();
    const bool is_changed = change != loaded_change_;
    if (!is_changed && now - loaded_milliseconds_ < context_lifetime_milliseconds) {
        return context_;
    }
    auto context = make_context(files_);
    if (!context) {
        // Half-written files are common while they are being replaced: keep the old ones.
        log_.write(LogLevel::error, context.error().detail());
        return context_;
    }
    context_ = *std::move(context);
    loaded_change_ = change;
    loaded_milliseconds_ = now;
    if (is_changed) {
        log_.write(LogLevel::info, "the TLS certificate was read again");
    }
    return context_;
}

void TlsContexts::reload() {
    const std::scoped_lock lock(mutex_);
    checked_milliseconds_ = -check_interval_milliseconds;
    loaded_change_ = {};
}

} // namespace claviger
