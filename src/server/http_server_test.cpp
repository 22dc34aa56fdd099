// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>

#include "server/test_server.h"

namespace claviger {
namespace {

namespace asio = boost::asio;
using testing::Client;
using testing::get;
using testing::post;
using testing::ReadAnswer;
using testing::TestServer;

TEST(HttpServer, TellsWhetherItLivesAndIsReadyOnEveryListener) {
    TestServer server;
    server.start();
    for (const std::uint16_t port : {server.server->port(), server.server->metrics_port()}) {
        Client client(port);
        EXPECT_EQ(client.ask(get("/healthz")).status, 200);
        EXPECT_EQ(client.ask(get("/readyz")).status, 200);
        EXPECT_EQ(client.ask(post("/healthz", "")).headers.at("allow"), "GET, HEAD");
    }
    server.problem = "the audit log is full";
    Client client(server.server->port());
    const ReadAnswer answer = client.ask(get("/readyz"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "the audit log is full\n");
    EXPECT_EQ(client.ask(get("/healthz")).status, 200);
    EXPECT_EQ(server.api.served, 0);
}

TEST(HttpServer, ShowsFiguresOnTheirOwnListenerOnly) {
    TestServer server;
    server.start();
    Client client(server.server->port());
    EXPECT_EQ(client.ask(get("/metrics")).body, "/metrics  "); // the API's answer
    EXPECT_EQ(client.ask(get("/fails")).status, 500);
    Client scrape(server.server->metrics_port());
    EXPECT_EQ(scrape.ask(get("/inline")).status, 404);
    const ReadAnswer answer = scrape.ask(get("/metrics"));
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for (const char* line : {
             "claviger_build_info{version=\"1.2.3\"} 1",
             "claviger_http_requests_total{route=\"test\",method=\"GET\",code=\"200\"} 1",
             "claviger_http_requests_total{route=\"test\",method=\"GET\",code=\"500\"} 1",
             "claviger_http_requests_total{route=\"unmatched\",method=\"GET\",code=\"404\"} 1",
             "claviger_http_request_duration_seconds_count{route=\"test\"} 2",
             "claviger_http_request_duration_seconds_bucket{route=\"test\",le=\"+Inf\"} 2",
             "claviger_http_connections 2",
             "claviger_http_connections_rejected_total 0",
             "claviger_tokens_issued_total{grant=\"password\"} 3",
         }) {
        EXPECT_NE(answer.body.find(std::string(line) + "\n"), std::string::npos) << line << "\n"
                                                                                 << answer.body;
    }
}

TEST(HttpServer, ThreadsShareAPortButServersDoNot) {
    TestServer first;
    first.options.threads = 3;
    first.start();
    TestServer second;
    second.options.listen.port = first.server->port();
    auto bound = HttpServer::bind(
        second.options, second.api, second.events, second.random, second.clock, second.log,
        [] { return std::string(); }, [] { return std::vector<Metric>(); });
    ASSERT_FALSE(bound.has_value());
    EXPECT_EQ(bound.error().code(), ErrorCode::unavailable);
}

TEST(HttpServer, SaysWhatIsWrongWithItsOptions) {
    TestServer server;
    const auto error_of = [&](const HttpServerOptions& options) {
        auto bound = HttpServer::bind(
            options, server.api, server.events, server.random, server.clock, server.log,
            [] { return std::string(); }, [] { return std::vector<Metric>(); });
        return bound ? std::string() : bound.error().detail();
    };
    HttpServerOptions options = server.options;
    options.trusted_proxies = {"10.0.0.0/8", "proxy"};
    EXPECT_NE(error_of(options).find("proxy"), std::string::npos);
    options = server.options;
    options.tls = TlsFiles{"/nonexistent/cert.pem", "/nonexistent/key.pem"};
    EXPECT_NE(error_of(options).find("/nonexistent/key.pem"), std::string::npos);
}

TEST(HttpServer, TurnsConnectionsAboveTheLimitAway) {
    TestServer server;
    server.options.limits.connections_of_one_source = 2;
    server.start();
    Client first(server.server->port());
    Client second(server.server->port());
    EXPECT_EQ(first.ask(get("/inline")).status, 200);
    EXPECT_EQ(second.ask(get("/inline")).status, 200);
    Client third(server.server->port());
    third.send(get("/inline"));
    EXPECT_EQ(third.read_to_end(), "");
    EXPECT_EQ(first.ask(get("/inline")).status, 200);
}

TEST(HttpServer, PlacesAreFreeAgainWhenConnectionsEnd) {
    TestServer server;
    server.options.limits.connections = 1;
    server.start();
    int served = 0;
    // A client sees the end a moment before its place is free, and may be turned away until then.
    for (int tries = 0; served < 20 && tries < 100'000; ++tries) {
        Client client(server.server->port());
        served += client.ask(get("/inline", "Connection: close\r\n")).status == 200 ? 1 : 0;
    }
    EXPECT_EQ(served, 20);
}

TEST(HttpServer, WithoutFileDescriptorsNewConnectionsEndAndOldOnesGoOn) {
    TestServer server;
    server.options.threads = 1;
    server.start();
    Client old(server.server->port());
    EXPECT_EQ(old.ask(get("/inline")).status, 200);
    const int prepared = testing::new_client_socket();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    {
        Client turned_away(server.server->port(), prepared);
        turned_away.send(get("/inline"));
        EXPECT_EQ(turned_away.read_to_end(), "");
        EXPECT_EQ(old.ask(get("/inline")).status, 200);
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    }
    Client fresh(server.server->port());
    EXPECT_EQ(fresh.ask(get("/inline")).status, 200);
    Client scrape(server.server->metrics_port());
    EXPECT_NE(scrape.ask(get("/metrics")).body.find("connections_rejected_total 1\n"),
              std::string::npos);
}

TEST(HttpServer, StoppingAnswersWhatHasBeenReadAndClosesTheRest) {
    TestServer server;
    server.start();
    Client idle(server.server->port());
    EXPECT_EQ(idle.ask(get("/inline")).status, 200);
    Client working(server.server->port());
    ASSERT_TRUE(working.send(get("/worker") + get("/inline")));
    server.api.gate.wait_for_visitors(1);
    Client held(server.server->port());
    ASSERT_TRUE(held.send(get("/ticket")));
    server.events.wait_for_ticket(1);

    {
        const std::jthread stopping([&] { server.server->stop(); });
        EXPECT_EQ(idle.read_to_end(), "");
        server.events.decide(1, Durability::durable);
        EXPECT_EQ(held.read_answer().body, "/ticket  ");
        EXPECT_EQ(held.read_to_end(), "");
        server.api.gate.open();
        EXPECT_EQ(working.read_answer().body, "/worker  ");
        EXPECT_EQ(working.read_answer().body, "/inline  ");
        EXPECT_EQ(working.read_to_end(), "");
        held.end_sending();
        working.end_sending();
    }
    EXPECT_FALSE(Client(server.server->port()).connected());
}

TEST(HttpServer, StoppingUnderLoadLosesNoAnswer) {
    TestServer server;
    server.api.gate.open();
    server.start();
    std::atomic<int> answered{0};
    std::atomic<int> warm{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&, i] {
            Client client(server.server->port());
            const std::string request = post(i % 2 == 0 ? "/inline" : "/worker", "x");
            int count = 0;
            while (client.ask(request).status == 200) {
                ++answered;
                warm += ++count == 50 ? 1 : 0;
            }
        });
    }
    while (warm < 8) {
        std::this_thread::yield();
    }
    server.server->stop();
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(answered, server.api.served);
}

TEST(HttpServer, StoppingDoesNotWaitForEverForARecord) {
    TestServer server;
    server.options.limits.stop_milliseconds = 200;
    server.start();
    Client client(server.server->port());
    ASSERT_TRUE(client.send(get("/ticket")));
    server.events.wait_for_ticket(1);
    server.server->stop();
    EXPECT_EQ(client.read_to_end().find("200 OK"), std::string::npos);
}

TEST(HttpServer, RecordsMayEndAfterTheServer) {
    TestServer server;
    server.start();
    server.server.reset();
    server.events.take();
    server.events.decide(1, Durability::durable);
}

class TlsTest : public ::testing::Test {
protected:
    TlsTest() {
        std::string name = (std::filesystem::temp_directory_path() / "tls-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        make_certificate("first");
        make_certificate("second");
        use("first");
        server_.options.tls = TlsFiles{folder_ / "cert.pem", folder_ / "key.pem"};
    }
    ~TlsTest() override { std::filesystem::remove_all(folder_); }

    void make_certificate(const std::string& name) const {
        const std::string command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
            "/CN=" +
            name + " -keyout " + (folder_ / (name + ".key")).string() + " -out " +
            (folder_ / (name + ".pem")).string() + " 2>/dev/null";
        ASSERT_EQ(std::system(command.c_str()), 0);
    }
    void use(const std::string& name) const {
        const auto over = std::filesystem::copy_options::overwrite_existing;
        std::filesystem::copy_file(folder_ / (name + ".pem"), folder_ / "cert.pem", over);
        std::filesystem::copy_file(folder_ / (name + ".key"), folder_ / "key.pem", over);
        std::filesystem::permissions(folder_ / "key.pem", std::filesystem::perms::owner_read |
                                                              std::filesystem::perms::owner_write);
    }
    std::string start_error() {
        auto bound = HttpServer::bind(
            server_.options, server_.api, server_.events, server_.random, server_.clock,
            server_.log, [] { return std::string(); }, [] { return std::vector<Metric>(); });
        return bound ? std::string() : bound.error().detail();
    }
    /// The answer that a client gets who trusts this certificate only; empty without a handshake.
    std::string ask(const std::string& trusted, asio::ssl::context::method method) const {
        asio::io_context context;
        asio::ssl::context ssl(method);
        ssl.set_verify_mode(asio::ssl::verify_peer);
        ssl.load_verify_file((folder_ / (trusted + ".pem")).string());
        asio::ssl::stream<asio::ip::tcp::socket> stream(context, ssl);
        const auto loopback = asio::ip::address_v4::loopback();
        stream.lowest_layer().connect({loopback, server_.server->port()});
        boost::system::error_code ec;
        stream.handshake(asio::ssl::stream_base::client, ec);
        if (ec) {
            return {};
        }
        asio::write(stream, asio::buffer(get("/inline", "Connection: close\r\n")));
        std::string text;
        asio::read(stream, asio::dynamic_buffer(text), ec);
        return ec == asio::error::eof ? text : "the end was cut off: " + ec.message();
    }

    std::filesystem::path folder_;
    TestServer server_;
};

TEST_F(TlsTest, SpeaksTls12And13) {
    server_.start();
    for (const auto method :
         {asio::ssl::context::tlsv12_client, asio::ssl::context::tlsv13_client}) {
        EXPECT_TRUE(ask("first", method).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    EXPECT_EQ(ask("first", asio::ssl::context::tlsv11_client), "");
}

TEST_F(TlsTest, AClientWithoutTlsIsClosed) {
    server_.start();
    Client client(server_.server->port());
    ASSERT_TRUE(client.send(get("/inline")));
    EXPECT_EQ(client.read_to_end().find("HTTP/"), std::string::npos);
    EXPECT_EQ(server_.api.served, 0);
}

TEST_F(TlsTest, ASlowHandshakeIsEnded) {
    server_.options.limits.handshake_milliseconds = 200;
    server_.start();
    Client client(server_.server->port());
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(TlsTest, NewCertificatesAreTakenWithoutARestart) {
    server_.start();
    const auto method = asio::ssl::context::tls_client;
    EXPECT_NE(ask("first", method), "");
    use("second");
    server_.server->reload_certificates();
    EXPECT_EQ(ask("first", method), "");
    EXPECT_NE(ask("second", method), "");
}

TEST_F(TlsTest, HalfWrittenCertificatesAreNotTaken) {
    server_.start();
    std::filesystem::copy_file(folder_ / "second.pem", folder_ / "cert.pem",
                               std::filesystem::copy_options::overwrite_existing);
    server_.server->reload_certificates();
    EXPECT_NE(ask("first", asio::ssl::context::tls_client), "");
    EXPECT_NE(server_.log.text().find("does not belong to the certificate"), std::string::npos);
}

TEST_F(TlsTest, AKeyThatOthersCanReadIsRefused) {
    std::filesystem::permissions(folder_ / "key.pem", std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    EXPECT_NE(start_error().find("chmod 600"), std::string::npos);
}

TEST_F(TlsTest, AKeyOfAnotherCertificateIsRefused) {
    std::filesystem::copy_file(folder_ / "second.key", folder_ / "key.pem",
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_NE(start_error().find("does not belong to the certificate"), std::string::npos);
}

} // namespace
} // namespace claviger
