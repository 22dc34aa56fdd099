// SPDX-License-Identifier: Apache-2.0
#include "grpc/grpc_server.h"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <atomic>
#include <future>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "grpc/external_auth.pb.h"

namespace claviger {
namespace {

namespace envoy_v3 = envoy::service::auth::v3;

constexpr const char* check_method = "/envoy.service.auth.v3.Authorization/Check";

/// Hands what connects to it to a server.
class Door {
public:
    explicit Door(GrpcServer& server) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_, generic, size), 0);
        EXPECT_EQ(::listen(listener_, 64), 0);
        EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
        target_ = "127.0.0.1:" + std::to_string(::ntohs(address.sin_port));
        thread_ = std::thread([this, &server] {
            for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
                server.take(socket);
            }
        });
    }
    ~Door() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    const std::string& target() const { return target_; }

private:
    int listener_;
    std::string target_;
    std::thread thread_;
};

std::string question(std::size_t body = 0) {
    envoy_v3::CheckRequest check;
    auto& http = *check.mutable_attributes()->mutable_request()->mutable_http();
    http.set_method("GET");
    http.set_path("/x");
    http.set_host("h");
    http.set_raw_body(std::string(body, 'b'));
    return check.SerializeAsString();
}

struct Said {
    grpc::Status status;
    std::string message;
};

class Client {
public:
    explicit Client(const std::string& target)
        : stub_(grpc::CreateChannel(target, grpc::InsecureChannelCredentials())) {}

    std::future<Said> begin(const std::string& message, const std::string& method = check_method) {
        auto call = std::make_shared<Call>(); // with the callback, which comes last
        const grpc::Slice slice(message);
        call->request = grpc::ByteBuffer(&slice, 1);
        stub_.UnaryCall(&call->context, method, {}, &call->request, &call->response,
                        [call](const grpc::Status& status) {
                            std::vector<grpc::Slice> slices;
                            std::string text;
                            if (status.ok() && call->response.Dump(&slices).ok()) {
                                for (const grpc::Slice& part : slices) {
                                    text.append(reinterpret_cast<const char*>(part.begin()),
                                                part.size());
                                }
                            }
                            call->said.set_value({status, std::move(text)});
                        });
        return call->said.get_future();
    }
    Said ask(const std::string& message, const std::string& method = check_method) {
        return begin(message, method).get();
    }

private:
    struct Call {
        grpc::ClientContext context;
        grpc::ByteBuffer request, response;
        std::promise<Said> said;
    };
    grpc::GenericStub stub_;
};

int http_status(const Said& said) {
    envoy_v3::CheckResponse message;
    EXPECT_TRUE(said.status.ok()) << said.status.error_message();
    EXPECT_TRUE(message.ParseFromString(said.message));
    return message.has_ok_response() ? 200 : message.denied_response().status().code();
}

/// gRPC 1.51 frees memory twice when the queue of its clients' callbacks ends with the last of
/// them, or with the process. One client that stays, and an end without further ado, keep it from
/// that. A server without clients in its process has no such queue to end but once.
class EndsAtOnce : public ::testing::Environment {
    void SetUp() override {
        auto* const stays = new Client("127.0.0.1:1"); // where nobody listens
        EXPECT_FALSE(stays->ask(question()).status.ok());
    }
    void TearDown() override {
        std::atexit([] {
            std::fflush(nullptr);
            std::_Exit(::testing::UnitTest::GetInstance()->Passed() ? 0 : 1);
        });
    }
};
const auto* const ends_at_once = ::testing::AddGlobalTestEnvironment(new EndsAtOnce);

class GrpcServerTest : public ::testing::Test {
protected:
    std::unique_ptr<GrpcServer> start(AnswerQuestion answer) {
        auto server =
            GrpcServer::start({.tls = {}, .stop_milliseconds = 30'000}, std::move(answer), log_);
        EXPECT_TRUE(server);
        return *std::move(server);
    }
    std::unique_ptr<GrpcServer> start() {
        return start([this](GatewayQuestion& asked) {
            ++asked_;
            peer_ = asked.peer_ip;
            return GatewayAnswer{};
        });
    }

    NullLog log_;
    std::atomic<int> asked_{0};
    std::string peer_; // of the last who asked
};

TEST_F(GrpcServerTest, AnswersWithThePeersAddress) {
    const auto server = start();
    const Door door(*server);
    EXPECT_EQ(http_status(Client(door.target()).ask(question())), 200);
    EXPECT_EQ(peer_, "127.0.0.1");
}

TEST_F(GrpcServerTest, HasOneMethodAndTakesOneMessage) {
    const auto server = start();
    const Door door(*server);
    Client client(door.target());
    EXPECT_EQ(
        client.ask(question(), "/envoy.service.auth.v3.Authorization/Other").status.error_code(),
        grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(client.ask("\xff").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(client.ask("").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(asked_, 0);
}

TEST_F(GrpcServerTest, ReadsNoMessageThatIsTooLong) {
    const auto server = start();
    const Door door(*server);
    Client client(door.target());
    EXPECT_EQ(http_status(client.ask(question(std::size_t{65} * 1024))), 200);
    EXPECT_EQ(client.ask(question(std::size_t{300} * 1024)).status.error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(asked_, 1);
}

TEST_F(GrpcServerTest, AnExceptionIsNoVerdict) {
    const auto server =
        start([](GatewayQuestion&) -> GatewayAnswer { throw std::runtime_error("a mistake"); });
    const Door door(*server);
    EXPECT_EQ(Client(door.target()).ask(question()).status.error_code(),
              grpc::StatusCode::INTERNAL);
}

TEST_F(GrpcServerTest, AnswersManyAtOnce) {
    std::atomic<int> asked{0};
    const auto server = start([&](GatewayQuestion&) {
        ++asked;
        return GatewayAnswer{};
    });
    const Door door(*server);
    std::vector<Client> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back(door.target());
    }
    std::vector<std::future<Said>> begun;
    for (int i = 0; i < 400; ++i) {
        begun.push_back(clients[static_cast<std::size_t>(i) % 4].begin(question()));
    }
    for (auto& call : begun) {
        EXPECT_EQ(http_status(call.get()), 200);
    }
    EXPECT_EQ(asked, 400);
}

TEST_F(GrpcServerTest, StopsWhileItIsAskedAndAnswersWhatItHas) {
    std::promise<void> entered;
    std::promise<void> released;
    const auto server = start([&](GatewayQuestion&) {
        entered.set_value();
        released.get_future().wait();
        return GatewayAnswer{};
    });
    const Door door(*server);
    Client client(door.target());
    auto call = client.begin(question());
    entered.get_future().wait();
    auto stopped = std::async(std::launch::async, [&] { server->stop(); });
    released.set_value();
    EXPECT_EQ(http_status(call.get()), 200);
    stopped.get();
    server->stop(); // once more
    EXPECT_FALSE(client.ask(question()).status.ok());
}

TEST_F(GrpcServerTest, EndsWithoutHavingBeenAsked) {
    const auto server = start();
    server->stop();
    const Door door(*server); // what comes now is closed
    EXPECT_FALSE(Client(door.target()).ask(question()).status.ok());
}

} // namespace
} // namespace claviger
