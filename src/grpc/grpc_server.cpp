// SPDX-License-Identifier: Apache-2.0
#include "grpc/grpc_server.h"

#include <atomic>
#include <fcntl.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/forward_auth.h"
#include "base/secret.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::string_view check_method = "/envoy.service.auth.v3.Authorization/Check";

// A request head, a body and what else Envoy says of both.
constexpr int longest_message = 256 * 1024;
constexpr std::size_t most_memory = std::size_t{64} * 1024 * 1024; // of all that comes in
constexpr int most_calls_of_one_connection = 256;
constexpr int longest_metadata = 16 * 1024;
constexpr int idle_milliseconds = 600'000; // of a connection without calls
constexpr int keepalive_milliseconds = 60'000;
constexpr int keepalive_timeout_milliseconds = 20'000;
constexpr int least_ping_milliseconds = 5'000; // of whoever keeps its connection alive by itself
constexpr unsigned certificate_check_seconds = 2;

std::atomic<Log*> log_of_grpc{nullptr}; // its log function is one for the process

void write_log(gpr_log_func_args* entry) {
    if (Log* log = log_of_grpc.load(); log != nullptr && log->enabled(LogLevel::debug)) {
        log->write(LogLevel::debug, "gRPC", {{"message", std::string_view(entry->message)}});
    }
}

/// What the gateway says of itself, beside the message. Empty when it says nothing, or two things.
Secret secret_of(const grpc::GenericCallbackServerContext& context) {
    const std::string name = ascii_lower(gateway_secret_header);
    const auto [begin, end] = context.client_metadata().equal_range(name);
    const bool is_one = begin != end && std::next(begin) == end;
    return is_one ? Secret(std::string_view(begin->second.data(), begin->second.size())) : Secret();
}

/// One call. gRPC says when it is over, and it then deletes itself.
class Call final : public grpc::ServerGenericBidiReactor {
public:
    Call(AnswerQuestion& answer, const grpc::GenericCallbackServerContext& context)
        : answer_(answer), peer_(context.peer()), gateway_secret_(secret_of(context)) {
        StartRead(&message_);
    }

    void OnReadDone(bool ok) override {
        if (!ok) {
            Finish({grpc::StatusCode::INVALID_ARGUMENT, "a message is missing"});
            return;
        }
        try {
            answer();
        } catch (const std::exception&) {
            Finish({grpc::StatusCode::INTERNAL, "something went wrong"});
        }
    }

    void OnDone() override { delete this; }

private:
    void answer() {
        std::optional<GatewayQuestion> question;
        {
            grpc::ProtoBufferReader reader(&message_);
            question = reader.status().ok() ? read_question(reader) : std::nullopt;
        }
        message_.Clear();
        if (!question) {
            Finish({grpc::StatusCode::INVALID_ARGUMENT, "the message is no CheckRequest"});
            return;
        }
        question->peer_ip = address_of_peer(peer_);
        question->gateway_secret = gateway_secret_.reveal();
        const std::string written = write_answer(answer_(*question));
        const grpc::Slice slice(written);
        message_ = grpc::ByteBuffer(&slice, 1);
        StartWriteAndFinish(&message_, {}, grpc::Status::OK);
    }

    AnswerQuestion& answer_;
    const std::string peer_;
    const Secret gateway_secret_;
    grpc::ByteBuffer message_; // the question, then the answer
};

/// A method that there is not.
class UnknownCall final : public grpc::ServerGenericBidiReactor {
public:
    UnknownCall() { Finish({grpc::StatusCode::UNIMPLEMENTED, "there is no such method"}); }
    void OnDone() override { delete this; }
};

class Calls final : public grpc::CallbackGenericService {
public:
    explicit Calls(AnswerQuestion answer) : answer_(std::move(answer)) {}

    grpc::ServerGenericBidiReactor*
    CreateReactor(grpc::GenericCallbackServerContext* context) override {
        if (context->method() != check_method) {
            return new UnknownCall;
        }
        return new Call(answer_, *context);
    }

private:
    AnswerQuestion answer_;
};

std::shared_ptr<grpc::ServerCredentials> credentials(const std::optional<GrpcTlsFiles>& tls) {
    if (!tls) {
        return grpc::InsecureServerCredentials();
    }
    grpc::experimental::TlsServerCredentialsOptions options(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            tls->key.string(), tls->certificate.string(), certificate_check_seconds));
    options.watch_identity_key_cert_pairs();
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    return grpc::experimental::TlsServerCredentials(options);
}

void set_limits(grpc::ServerBuilder& builder) {
    builder.SetResourceQuota(grpc::ResourceQuota("claviger").Resize(most_memory));
    builder.SetMaxReceiveMessageSize(longest_message);
    for (const auto& [name, value] :
         {std::pair{GRPC_ARG_MAX_CONCURRENT_STREAMS, most_calls_of_one_connection},
          {GRPC_ARG_MAX_METADATA_SIZE, longest_metadata},
          {GRPC_ARG_MAX_CONNECTION_IDLE_MS, idle_milliseconds},
          {GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_milliseconds},
          {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_timeout_milliseconds},
          {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, least_ping_milliseconds}}) {
        builder.AddChannelArgument(name, value);
    }
}

} // namespace

class GrpcServer::Serving {
public:
    Serving(AnswerQuestion answer, std::int64_t stop_milliseconds)
        : calls_(std::move(answer)), stop_milliseconds_(stop_milliseconds) {}

    bool start(const GrpcServerOptions& options) {
        grpc::ServerBuilder builder;
        set_limits(builder);
        sockets_ = builder.experimental().AddExternalConnectionAcceptor(
            grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
            credentials(options.tls));
        builder.RegisterCallbackGenericService(&calls_);
        server_ = builder.BuildAndStart();
        return server_ != nullptr;
    }

    void take(int socket) {
        const std::scoped_lock lock(mutex_);
        if (is_stopped_) { // gRPC would leave it open
            ::close(socket);
            return;
        }
        const int yes = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.fd = socket;
        sockets_->HandleNewConnection(&connection);
    }

    void stop() {
        {
            const std::scoped_lock lock(mutex_);
            is_stopped_ = true;
        }
        if (server_) {
            server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                           gpr_time_from_millis(stop_milliseconds_, GPR_TIMESPAN)));
            server_.reset();
        }
    }

private:
    Calls calls_; // outlives the server
    std::unique_ptr<grpc::Server> server_;
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> sockets_;
    std::int64_t stop_milliseconds_;
    std::mutex mutex_;
    bool is_stopped_ = false;
};

GrpcServer::GrpcServer(std::unique_ptr<Serving> serving) : serving_(std::move(serving)) {}

GrpcServer::~GrpcServer() {
    stop();
    log_of_grpc = nullptr;
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const GrpcServerOptions& options,
                                                      AnswerQuestion answer, Log& log) {
    log_of_grpc = &log;
    gpr_set_log_function(write_log);
    std::unique_ptr<GrpcServer> server(
        new GrpcServer(std::make_unique<Serving>(std::move(answer), options.stop_milliseconds)));
    if (!server->serving_->start(options)) {
        return fail(ErrorCode::unavailable, "gRPC does not start");
    }
    return server;
}

void GrpcServer::take(int socket) {
    serving_->take(socket);
}

void GrpcServer::stop() {
    serving_->stop();
}

} // namespace claviger
